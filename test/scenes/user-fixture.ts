// A user store on a database of its own, with everything it told the journal and the family store.

import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Database } from '../../src/database/database.ts'
import { journalUserChange } from '../../src/families/postgres/postgres-journal.ts'
import type { PasswordPeppers } from '../../src/secrets/password-pepper.ts'
import {
  type HashingLanes,
  openHashingLanes,
  type RunInLane,
} from '../../src/users/hashing-lanes.ts'
import type { PasswordCosts } from '../../src/users/password-costs.ts'
import { openPasswordHasher } from '../../src/users/password-hasher.ts'
import type { UserRecord } from '../../src/users/user.ts'
import { parseEmail, parseUsername, type UserName } from '../../src/users/user-names.ts'
import { openUserStore, type UserStore } from '../../src/users/user-store.ts'
import { openReadyDatabase } from '../support/database.ts'
import { openTestDatabase } from '../support/postgres.ts'

export const FAST_ARGON2 = { memoryKib: 1024, time: 1, parallelism: 1 }

export interface UserFixture {
  readonly database: Database
  readonly users: UserStore
  /** Moves on by a second with each reading. */
  readonly clock: () => number
  /** What the family store was told, in order. */
  readonly published: UserRecord[]
  /** The payloads of the journal, oldest first. */
  readJournal(): Promise<{ record: UserRecord }[]>
  /** The next time the family store is told anything, this happens instead. */
  failNextPublish(error: Error): void
}

export async function openUserFixture(t: Test): Promise<UserFixture> {
  const { url } = await openTestDatabase(t)
  const database = await openReadyDatabase(t, url)
  let nowMs = Date.UTC(2030, 0, 1)
  const clock = () => {
    nowMs += 1000
    return nowMs
  }
  const published: UserRecord[] = []
  let publishError: Error | undefined
  const users = openUserStore({
    prisma: database.prisma,
    clock,
    journalChange: journalUserChange,
    forgetUser: async () => {},
    publishChange: async (record) => {
      const error = publishError
      publishError = undefined
      if (error) throw error
      published.push(record)
    },
  })
  return {
    database,
    users,
    clock,
    published,
    async readJournal() {
      const { rows } = await database.pool.query('SELECT payload FROM journal ORDER BY id')
      return rows.map((row) => row.payload)
    },
    failNextPublish(error) {
      publishError = error
    },
  }
}

/** Parsed, or the test is wrong. */
export function usernameOf(text: string): UserName {
  return present(parseUsername(text))
}

export function emailOf(text: string): UserName {
  return present(parseEmail(text))
}

/** What must be there for the test to go on. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing is there')
  return value
}

/** A new user of that name, with an email and a hash of no password. */
export function newUser(name: string) {
  return {
    username: usernameOf(name),
    email: emailOf(`${name}@example.org`),
    passwordHash: `hash of ${name}`,
  }
}

/** A hasher, and how many passwords went through its lanes. */
export function openCountingHasher(
  parameters = FAST_ARGON2,
  costs?: PasswordCosts,
  peppers?: PasswordPeppers,
) {
  const lanes = openHashingLanes({ lanes: 2, queueMax: 100, waitMaxMs: 60_000 })
  const counts = { passes: 0 }
  const countIn =
    (run: RunInLane): RunInLane =>
    (work, signal) => {
      counts.passes += 1
      return run(work, signal)
    }
  const counting: HashingLanes = {
    run: countIn(lanes.run),
    load: lanes.load,
    admit: (work) => lanes.admit((run) => work(countIn(run))),
  }
  return { hasher: openPasswordHasher({ parameters, lanes: counting, costs, peppers }), counts }
}

/** Lets everything that is ready run. */
export const settle = () => delay(0)
