// How whoever measures is told of a call to a dependency, or of a wait, by the code that makes it and
// that knows nothing of measuring.

/** Told how the call ended; `failed` for one that brought no answer. */
export type CallEnded = (failed: boolean) => void

/**
 * Told that a call begins, with a word of ours for what it does. What it returns is to be called once,
 * when the call has ended.
 */
export type WatchCall = (operation: string) => CallEnded

const ignoreEnd: CallEnded = () => {}

/** Where nobody measures. */
export const UNWATCHED: WatchCall = () => ignoreEnd

/** Tells both; the second one is there only while calls are traced. */
export function watchBoth(first: WatchCall, second: WatchCall | undefined): WatchCall {
  if (!second) return first
  return (operation) => {
    const endFirst = first(operation)
    const endSecond = second(operation)
    return (failed) => {
      endSecond(failed)
      endFirst(failed)
    }
  }
}
