// The types of what is shown of a user, a client, a webhook and a session: the same members, in the
// types that JSON has. A member that is added to one of those does not compile until it is shown.

/** ISO 8601 for a date, null for what may be undefined. */
export type View<T> = { readonly [Member in keyof T]-?: Shown<T[Member]> }

type Shown<Value> = Value extends Date ? string : Value extends undefined ? null : Value
