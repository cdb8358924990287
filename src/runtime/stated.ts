// For mappings that must name every member of what they give: one that is forgotten does not compile.

/** `T` with no member left out: an optional one has to be stated, if only as `undefined`. */
export type Stated<T> = { readonly [Member in keyof Required<T>]: T[Member] }
