// The signing keys as this instance holds them. While PostgreSQL is away the keys in memory stay
// in use; reads and changes run one after another, so that no older list replaces a newer one.

import { type Database, guardDatabase } from '../database/database.ts'
import { openPlainQuery, type PlainQuery } from '../database/plain-query.ts'
import { inTransaction } from '../database/transaction.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import { lockSigningKeys, markWanted, readSigningKeys } from './key-rows.ts'
import type { SigningKey } from './key-states.ts'
import type { SigningAlgs } from './signing-algorithms.ts'

export interface HeldKeys {
  /** In the order of `activeFrom`, as last read. */
  keys(): readonly SigningKey[]
  /** Rejects with DependencyUnavailable or UnreadableKey; the keys are then as before. */
  read(): Promise<void>
  /** Tells the other instances that these are configured here. Rejects with DependencyUnavailable. */
  want(algs: SigningAlgs, nowMs: number): Promise<void>
  /**
   * Runs `work` in a transaction under the lock of the table, with the keys that are there at that
   * moment, and holds what it leaves. May run `work` more than once, each time in a new transaction.
   * Rejects as `read` does; a change whose commit was sent but not answered may still be made.
   */
  change<T>(work: (query: PlainQuery, keys: readonly SigningKey[]) => Promise<T>): Promise<T>
}

export function openHeldKeys({ pool }: Pick<Database, 'pool'>, rootSecrets: RootSecrets): HeldKeys {
  let keys: readonly SigningKey[] = []
  let turn: Promise<unknown> = Promise.resolve()

  /** Every wait and query of `work` counts within the deadline, the wait for its turn too. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    return guardDatabase(() => {
      const done = turn.then(work)
      turn = done.catch(() => {})
      return done
    })
  }

  return {
    keys: () => keys,
    read: () =>
      inTurn(async () => {
        keys = await readSigningKeys(openPlainQuery(pool), rootSecrets, keys)
      }),
    want: (algs, nowMs) => inTurn(() => markWanted(openPlainQuery(pool), algs, nowMs)),
    change: (work) =>
      inTurn(async () => {
        const { now, result } = await inTransaction(pool, async (client) => {
          const query = openPlainQuery(client)
          await lockSigningKeys(query)
          const before = await readSigningKeys(query, rootSecrets, keys)
          const result = await work(query, before)
          return { now: await readSigningKeys(query, rootSecrets, before), result }
        })
        // Not before the commit: until then the keys may come to nothing.
        keys = now
        return result
      }),
  }
}
