// Objects without the members that are undefined, for whoever takes a member that is there as said.

/** A copy with the members that are not undefined. */
export function definedMembers<T extends object>(
  members: T,
): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  const defined = Object.entries(members).filter(([, value]) => value !== undefined)
  return Object.fromEntries(defined) as { [Name in keyof T]?: Exclude<T[Name], undefined> }
}
