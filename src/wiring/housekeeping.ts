// What runs by itself. In every process: the poll that brings others' changes here, the clock and the
// journal, which this process needs for its own answers. In the one of an instance that keeps house:
// the life of the keys, webhooks, mails, and the deletion of what no answer needs any more.

import type { ClientTable } from '../clients/client-table.ts'
import { startTablePoll } from '../database/table-versions.ts'
import { deleteExpiredFactors } from '../factors/factor-upkeep.ts'
import type { Families } from '../families/families.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import { type Clock, monotonicClock } from '../runtime/clock.ts'
import type { TrustedIssuerTable } from '../trust/trusted-issuer-table.ts'
import type { PasswordCosts } from '../users/password-costs.ts'
import type { Foundation } from './foundation.ts'
import type { OpenedFamilyStore } from './open-family-store.ts'
import type { Mail } from './open-mail.ts'

/** Changes are in force within 5 s on every instance (docs/semantics.md §20). */
export const POLL_MS = 2_000
const GARBAGE_MS = 10 * 60 * 1000
const DAY_MS = 24 * 60 * 60 * 1000

export interface HousekeepingOptions extends Foundation {
  readonly opened: OpenedFamilyStore
  readonly keys: Pick<KeyRing, 'tick' | 'follow' | 'reload'>
  readonly clients: Pick<ClientTable, 'reload'>
  readonly trustedIssuers: Pick<TrustedIssuerTable, 'reload'>
  readonly passwordCosts: Pick<PasswordCosts, 'reload'>
  readonly families: Pick<Families, 'journalMissedReplays'>
  readonly mail: Mail
}

export interface Housekeeping {
  /** Resolves when nothing of it is running any more. */
  stop(): Promise<void>
}

export function startHousekeeping(options: HousekeepingOptions): Housekeeping {
  const { database, databaseClock, opened, audit, keys, clients, mail } = options
  const { config, passwordCosts, outages, report, clock, group } = options
  const eventsKeptMs = config.eventRetentionDays * DAY_MS
  // By the configuration; clients may have longer ones.
  const longestFamilySeconds = Math.max(
    config.refreshAbsoluteTtlSeconds,
    config.accessTokenTtlSeconds,
  )
  const running = new Set<Promise<void>>()
  // By both clocks: one may be set back, and the other stops while the machine is suspended.
  const isGarbageDue = openAlarm([clock, monotonicClock], GARBAGE_MS)

  function start(doing: string, work: () => Promise<void>): void {
    const done = work()
      .catch((err: unknown) => report(doing, err))
      .finally(() => running.delete(done))
    running.add(done)
  }

  function onTick(): void {
    outages.succeeded('postgresql')
    start('password costs', passwordCosts.reload)
    start('replays', options.families.journalMissedReplays)
    start('journal', async () => {
      await opened.applyNewEntries()
      outages.succeeded(opened.store.name)
    })
    if (group.keepsHouse()) keepHouse()
    else keys.follow()
  }

  function keepHouse(): void {
    start('signing keys', keys.tick)
    start('webhooks', audit.deliverDue)
    start('mail', mail.deliverDue)
    if (!isGarbageDue()) return
    start('garbage', async () => {
      await opened.journal.prune(clock(), longestFamilySeconds * 1000)
      await opened.deleteExpired(clock())
      await deleteExpiredFactors(database.pool, clock())
      await audit.events.keep(clock(), config.eventRetentionDays)
      await audit.outbox.prune(clock() - eventsKeptMs)
      await mail.outbox.prune(clock())
    })
  }

  const poll = startTablePoll({
    database,
    everyMs: POLL_MS,
    reload: {
      clients: clients.reload,
      signing_keys: keys.reload,
      trusted_issuers: options.trustedIssuers.reload,
    },
    onTime: databaseClock.take,
    onTick,
    onError: (err) => report('poll', err),
  })
  return {
    async stop() {
      await poll.stop()
      await mail.stop()
      await Promise.allSettled(running)
    },
  }
}

/** True once whenever `everyMs` have passed by any of the clocks. */
function openAlarm(clocks: readonly Clock[], everyMs: number): () => boolean {
  const dueAt = () => clocks.map((clock) => clock() + everyMs)
  let due = dueAt()
  return () => {
    const isDue = clocks.some((clock, index) => clock() >= (due[index] ?? 0))
    if (isDue) due = dueAt()
    return isDue
  }
}
