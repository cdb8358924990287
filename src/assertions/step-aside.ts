// Waiting for whoever publishes keys without holding up those who wait for nobody but us.

import type { RemoteKeys } from './remote-keys.ts'

/** Waits for what somebody else has to answer, and gives back meanwhile what others could use. */
export type StepAside = <T>(waiting: Promise<T>) => Promise<T>

/** The same keys; whoever has to wait for them steps aside. */
export function stepAsideFor(remoteKeys: RemoteKeys, stepAside: StepAside): RemoteKeys {
  return {
    at(...place) {
      const source = remoteKeys.at(...place)
      return { current: () => aside(source.current()), renewed: () => aside(source.renewed()) }
    },
  }

  /** What is at hand is waited for by nobody. */
  function aside<T>(keys: T | Promise<T>): T | Promise<T> {
    return keys instanceof Promise ? stepAside(keys) : keys
  }
}
