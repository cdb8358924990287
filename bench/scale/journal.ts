// Does a long journal keep a start or a reconnect waiting? The server of Redis has all of it but the
// last minute, as it says by its mark. How long an empty Redis takes, which needs all, is a fact
// beside it.

import { parseRedisUrl } from '../../src/config/redis-url.ts'
import { openPostgresJournal } from '../../src/families/postgres/postgres-journal.ts'
import {
  openRedisFamilyStore,
  type RedisFamilyStore,
} from '../../src/families/redis/redis-family-store.ts'
import { ending, logIn, newLogin, newUser } from '../../test/contract/family-bench.ts'
import { startPostgres } from '../../test/support/postgres.ts'
import type { RedisProcess } from '../../test/support/redis.ts'
import type { Scope } from '../../test/support/scope.ts'
import { costOf } from './many.ts'
import { multiplyRow, openPostgresCase, type PostgresCase } from './postgres-case.ts'
import { openRedisCase } from './redis-case.ts'
import type { ScaleQuestion } from './scale-question.ts'

const SIZES = [1_000, 1_000_000]
const PATIENCE_MS = 600_000

export const journal: ScaleQuestion = {
  name: 'journal',
  title: 'a start and a reconnect with so many entries in the journal',
  async prepare(scope, scaled) {
    const sizes = SIZES.map(scaled)
    const { url } = await startPostgres(scope)
    const cases: JournalCase[] = []
    for (const size of sizes) cases.push(await openCase(scope, url, size))
    return {
      cases: sizes.map((size) => `${size.toLocaleString('en')} entries`),
      measures: [
        {
          name: 'start',
          unit: 'ms',
          cases: cases.map(
            ({ start }) =>
              () =>
                timed(start),
          ),
        },
        {
          name: 'reconnect',
          unit: 'ms',
          cases: cases.map(
            ({ cut }) =>
              () =>
                timed(cut),
          ),
        },
      ],
      facts: { 'ms to tell an empty Redis all of the longest': cases.at(-1)?.toldMs ?? Number.NaN },
    }
  },
}

interface JournalCase {
  readonly toldMs: number
  /** One more instance, until it may serve. */
  start(): Promise<void>
  /** From a broken connection until the first answer. */
  cut(): Promise<void>
}

async function openCase(scope: Scope, postgresUrl: string, size: number): Promise<JournalCase> {
  const [postgres, { server }] = [
    await openPostgresCase(scope, postgresUrl),
    await openRedisCase(scope),
  ]
  await fill(postgres, size)
  const open = () => openStore(postgres, server)
  const store = open()
  scope.teardown(() => store.close())
  const toldMs = await timed(() => store.ready(PATIENCE_MS))
  const family = await logIn(store)
  const { userId, familyId } = family
  return {
    toldMs,
    async start() {
      const another = open()
      await another.ready(PATIENCE_MS)
      await another.close()
    },
    async cut() {
      await server.cli('CLIENT', 'KILL', 'TYPE', 'normal')
      await answered(() => store.inspect({ owner: { userId }, familyId }))
    },
  }
}

function openStore({ database }: PostgresCase, server: RedisProcess): RedisFamilyStore {
  return openRedisFamilyStore({
    target: parseRedisUrl(server.url),
    journal: openPostgresJournal(database),
    clock: Date.now,
    onConnectionError() {},
    onReplayFailure() {},
  })
}

/** Ends of as many families, the youngest of which is two minutes old, and one of now. */
async function fill(postgres: PostgresCase, size: number): Promise<void> {
  const { append } = openPostgresJournal(postgres.database)
  const { family, user } = newLogin(newUser())
  const end = { ...ending({ ...family, ...user, rotatedAtMs: 0 } as never), atMs: Date.now() }
  await append({ kind: 'family', end })
  await multiplyRow(postgres, 'journal', {
    where: 'true',
    changes: `jsonb_build_object('id', 1000 + n, 'subject', 'end ' || n,
      'at', clock_timestamp() - interval '2 minutes' - n * interval '1 millisecond',
      'payload', jsonb_set(original.payload, '{end,familyId}', to_jsonb(md5('f' || n)::uuid)))`,
    count: size - 1,
  })
  await postgres.run('VACUUM ANALYZE journal')
}

async function answered(ask: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await ask()
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

const timed = (act: () => Promise<unknown>) => costOf(1, () => performance.now(), act)
