// The schemas of JSON bodies. A member that a route does not know is refused, never ignored.

export const STRING = { type: 'string' } as const

/** The schema of an object with these members, the required ones among them, and no others. */
export function bodyOf<Members extends Readonly<Record<string, object>>>(
  properties: Members,
  required: readonly (keyof Members & string)[] = [],
) {
  return { type: 'object', additionalProperties: false, required, properties } as const
}
