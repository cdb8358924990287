// Objects without the members that say nothing, for types that tell a missing member from an
// undefined one.

/** A copy with the members that are not undefined. */
export function definedMembers<T extends object>(
  members: T,
): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return filterMembers(members, (value) => value !== undefined)
}

/** A copy with the members that are neither undefined nor null. */
export function knownMembers<T extends object>(
  members: T,
): { [Name in keyof T]?: NonNullable<T[Name]> } {
  return filterMembers(members, (value) => value != null)
}

function filterMembers<Members>(members: object, isKept: (value: unknown) => boolean): Members {
  const kept = Object.entries(members).filter(([, value]) => isKept(value))
  return Object.fromEntries(kept) as Members
}
