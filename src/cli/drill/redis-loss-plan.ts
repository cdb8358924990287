// What a Redis that has lost everything is given back by the journal, and what it is not.

import type { Redis } from 'ioredis'
import { openPlainQuery } from '../../database/plain-query.ts'
import { inTransaction } from '../../database/transaction.ts'
import { openPostgresJournal } from '../../families/postgres/postgres-journal.ts'
import type { CommandDatabase } from '../command-stores.ts'
import { type DrillPlan, type Expectation, isoOf } from './drill-plan.ts'
import { type LongestLives, readLongestLives } from './longest-lives.ts'
import { countContents, type RedisContents, readMarks } from './redis-contents.ts'

/** How often instances look whether a server was emptied under a living connection. */
const POLL_SECONDS = 2
/** Rows that were measured to be applied a second (docs/operations.md). */
const ROWS_A_SECOND = 20_000
/** So many rows are read to see how fast this journal can be. */
const SAMPLE_ROWS = 10_000
const SAMPLE_ROWS_MIN = 1_000
const COUNT_TIMEOUT_MS = 10_000

export interface JournalCount {
  readonly rows: number
  /** Logins that can be made again: young, and not ended. */
  readonly logins: number
}

/** The masters are connected. Rejects with DependencyUnavailable or the errors of ioredis. */
export async function planRedisLoss(
  opened: CommandDatabase,
  masters: readonly Redis[],
): Promise<DrillPlan> {
  const { database, config, clock } = opened
  const nowMs = clock()
  const [journal, lives] = await Promise.all([
    countJournal(opened),
    readLongestLives(database, config),
  ])
  const contents = await countContents(masters)
  const marks = await readMarks(masters, config.redis?.mode === 'cluster')
  const sample = await measureReading(opened)
  const rate = Math.min(ROWS_A_SECOND, sample.rowsASecond ?? ROWS_A_SECOND)
  const closedSeconds = Math.ceil(journal.rows / rate) + 1
  const lost = Math.max(0, contents.families - journal.logins)
  return {
    drill: 'redis-loss',
    issuer: config.issuer,
    at: isoOf(nowMs),
    facts: {
      servers: masters.length,
      ...contents,
      marks: marks.map((mark) => (mark ? isoOf(mark) : 'nothing yet')),
      journalRows: journal.rows,
      journalLogins: journal.logins,
      journalRead: `${sample.rows} rows in ${sample.ms} ms`,
      closedFor: `some ${closedSeconds} s`,
      sessionsLostAtMost: lost,
    },
    expectations: listExpectations({ nowMs, contents, lost, journal, lives, closedSeconds }),
    doing: [
      `each of the ${masters.length} masters forgets everything (FLUSHDB)`,
      'instances notice within 2 s, close the gate, re-apply the journal, and open it again',
    ],
    notes: [
      'families counts ended ones too, which are remembered so that reuse is recognised',
      `until the poll has noticed (${POLL_SECONDS} s), an access token that was revoked alone is believed again where its ` +
        'session is young; a server that restarts empty closes the gate before it answers anything',
      'no throttle is exhausted after it, and everybody is an unknown source once',
    ],
  }
}

interface Found {
  readonly nowMs: number
  readonly contents: RedisContents
  readonly lost: number
  readonly journal: JournalCount
  readonly lives: LongestLives
  readonly closedSeconds: number
}

function listExpectations(found: Found): readonly Expectation[] {
  const { nowMs, contents, lost, journal, lives, closedSeconds } = found
  const absolute = isoOf(nowMs + lives.absoluteSeconds * 1000)
  const noticed = `within ${POLL_SECONDS} s`
  return [
    {
      id: 'answers',
      what: 'whatever needs sessions is 503 while the gate is closed',
      ...{ verdict: 'goes on', from: noticed, until: `some ${closedSeconds} s later` },
    },
    {
      id: 'old-sessions',
      what: `sessions whose login is older than 15 minutes, ${lost} at most: their users log in again`,
      ...{ verdict: 'refused', from: 'at once', until: `for good; none lives beyond ${absolute}` },
    },
    {
      id: 'young-sessions',
      what: `sessions that the journal knows the login of, ${journal.logins} of them`,
      ...{ verdict: 'goes on', from: 'at once', until: 'as before' },
    },
    {
      id: 'ended-sessions',
      what: 'sessions that were ended',
      ...{ verdict: 'refused', from: 'at once', until: 'for good' },
    },
    {
      id: 'revoked-access-tokens',
      what: `access tokens that were revoked alone, ${contents.revokedTokens} of them`,
      ...{ verdict: 'refused', from: noticed, until: 'their exp' },
    },
    {
      id: 'access-tokens-of-old-sessions',
      what: 'access tokens of lost sessions, where they are checked online; offline they go on to their exp',
      ...{ verdict: 'refused', from: 'at once', until: 'their exp' },
    },
    {
      id: 'logins',
      what: 'logins',
      ...{ verdict: 'goes on', from: 'once the gate is open', until: 'as before' },
    },
    {
      id: 'counters',
      what: `what was counted of guesses, and which sources are known: ${contents.counters} counters`,
      ...{ verdict: 'forgotten', from: 'at once', until: 'an hour; known sources 30 days' },
    },
    {
      id: 'used-once',
      what: `what may be used once, ${contents.usedOnce} ids: can be used once more`,
      ...{
        verdict: 'forgotten',
        from: 'at once',
        until: '6 min; tokens of trusted issuers their exp',
      },
    },
  ]
}

async function countJournal({ database: { pool } }: CommandDatabase): Promise<JournalCount> {
  return await inTransaction(
    pool,
    async (client) => {
      const query = openPlainQuery(client, COUNT_TIMEOUT_MS)
      await query(`SET LOCAL statement_timeout = ${COUNT_TIMEOUT_MS}`)
      const [row] = await query<JournalCount & Record<string, number>>(
        `SELECT count(*)::int AS rows,
           (count(*) FILTER (WHERE payload->>'kind' = 'created'))::int AS logins
         FROM journal WHERE keep_until IS NULL OR keep_until > now()`,
      )
      return { rows: row?.rows ?? 0, logins: row?.logins ?? 0 }
    },
    COUNT_TIMEOUT_MS,
  )
}

/** As the journal is read when it is re-applied; a few rows say nothing of many. */
async function measureReading({ database }: CommandDatabase) {
  const journal = openPostgresJournal(database)
  const fromMs = performance.now()
  let rows = 0
  for await (const page of journal.readSince(0)) {
    rows += page.length
    if (rows >= SAMPLE_ROWS) break
  }
  const ms = Math.max(1, Math.round(performance.now() - fromMs))
  return { rows, ms, rowsASecond: rows < SAMPLE_ROWS_MIN ? undefined : (1000 * rows) / ms }
}
