// Objects without the members that say nothing, for whoever takes a member that is there as said.

/** A copy with the members that are neither undefined nor null. */
export function definedMembers<T extends object>(
  members: T,
): { [Name in keyof T]?: NonNullable<T[Name]> } {
  const defined = Object.entries(members).filter(([, value]) => value != null)
  return Object.fromEntries(defined) as { [Name in keyof T]?: NonNullable<T[Name]> }
}
