// Who waits for a turn. While nobody waits for long, whoever came first is served first. When more come
// than are served, that would make everybody wait until most have given up; then the newest are served,
// who still listen, and the oldest are turned away.

/** How long one may wait where a burst is worked off. */
export const BURST_WAIT_MS = 500
/** A line that was never empty for so long is no burst. */
const STANDING_MS = 500
/** How long one may wait in a line that is never empty. */
export const STANDING_WAIT_MS = 100
/** From then on the newest are served first. */
const NEWEST_FIRST_MS = 50
/** A longer line is not worked off in time. */
export const LINE_MAX = 1_024
/** How many that have left the line may still be held at its beginning, while it is not empty. */
const GONE_MAX = 64

export interface WaitingLine<Entry> {
  /** False when the line is full. */
  add(entry: Entry, nowMs: number): boolean
  /** Whose turn it is; undefined when nobody waits. */
  take(nowMs: number): Entry | undefined
  /** Who has waited too long; they wait no more. */
  expire(nowMs: number): Entry[]
  size(): number
}

interface Waiting<Entry> {
  readonly entry: Entry
  readonly sinceMs: number
}

/** Times are monotonic milliseconds. */
export function openWaitingLine<Entry>(): WaitingLine<Entry> {
  let line: Waiting<Entry>[] = []
  /** How many at the beginning of `line` are gone: to shift each would move all the others. */
  let gone = 0
  /** Since when the line was never empty. */
  let standsSinceMs = 0

  const size = () => line.length - gone
  const oldestAgeMs = (nowMs: number) => nowMs - (line[gone]?.sinceMs ?? nowMs)

  function takeOldest(): Entry | undefined {
    const oldest = line[gone]
    gone += 1
    forgetGone()
    return oldest?.entry
  }

  function takeNewest(): Entry | undefined {
    const newest = line.pop()
    forgetGone()
    return newest?.entry
  }

  /** What has left the line holds requests, with the passwords in them. */
  function forgetGone(): void {
    if (gone < line.length && gone <= GONE_MAX) return
    line = line.slice(gone)
    gone = 0
  }

  return {
    add(entry, nowMs) {
      if (size() === 0) standsSinceMs = nowMs
      if (size() >= LINE_MAX) return false
      line.push({ entry, sinceMs: nowMs })
      return true
    },
    take(nowMs) {
      if (size() === 0) return undefined
      return oldestAgeMs(nowMs) > NEWEST_FIRST_MS ? takeNewest() : takeOldest()
    },
    expire(nowMs) {
      const isStanding = nowMs - standsSinceMs > STANDING_MS
      const waitMaxMs = isStanding ? STANDING_WAIT_MS : BURST_WAIT_MS
      const expired: Entry[] = []
      while (oldestAgeMs(nowMs) > waitMaxMs) {
        const entry = takeOldest()
        if (entry !== undefined) expired.push(entry)
      }
      return expired
    },
    size,
  }
}
