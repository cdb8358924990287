// What a file that was applied says of a resource besides its settings. It is stored with the resource,
// goes with it, and is shown by no API.

export type Labels = Readonly<Record<string, string>>

export interface AppliedMark {
  readonly labels?: Labels
  /** A file has made it: only such a resource may be pruned. */
  readonly made?: true
  /** It was disabled because no file named it any more. */
  readonly pruned?: true
  /** What files call a resource that has no name of its own. */
  readonly name?: string
}

/** What a file wants to be remembered. */
export interface WantedMark {
  readonly labels: Labels
  readonly name?: string | undefined
}

/** The mark after the file was applied; `before` is undefined where the file makes the resource. */
export function nextMark(
  before: AppliedMark | undefined,
  { labels, name }: WantedMark,
): AppliedMark {
  return {
    ...(Object.keys(labels).length > 0 && { labels }),
    ...((before === undefined || before.made) && { made: true as const }),
    ...(name !== undefined && { name }),
  }
}
