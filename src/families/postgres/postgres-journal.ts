// The journal in its table. Its clock is the database's, because instances write it together.

import { type Database, guardDatabase } from '../../database/database.ts'
import { deleteInBatches } from '../../database/delete-in-batches.ts'
import { eachPage } from '../../database/keyset-page.ts'
import type { Prisma } from '../../generated/prisma/client.ts'
import type { UserRecord } from '../../users/user.ts'
import type { EndFamily } from '../family.ts'
import {
  type Journal,
  type JournalEntry,
  type JournalPayload,
  loginOf,
  loginSubject,
  subjectOf,
} from '../journal.ts'

/** Rows held at once, and read by one statement: each stays well within its deadline. */
const PAGE_ROWS = 2_000

interface JournalRow {
  readonly id: string
  readonly at: Date
  readonly payload: JournalPayload
}

/**
 * A row becomes visible when its transaction commits, later than its `at`. So a reader has to go
 * back by the longest transaction each time, and gets some entries twice.
 */
export function openPostgresJournal(database: Pick<Database, 'pool'>): Journal {
  const { pool } = database

  async function readPage(after: Pick<JournalRow, 'at' | 'id'>): Promise<JournalRow[]> {
    const { rows } = await guardDatabase(() =>
      pool.query<JournalRow>(
        `SELECT id, at, payload FROM journal
         WHERE (at, id) > ($1, $2) AND (keep_until IS NULL OR keep_until > now())
         ORDER BY at, id LIMIT $3`,
        [after.at, after.id, PAGE_ROWS],
      ),
    )
    return rows
  }

  return {
    async append(payload, keepUntilMs) {
      const subject = subjectOf(payload) ?? null
      const keepUntil = keepUntilMs === undefined ? null : new Date(keepUntilMs)
      const values = [JSON.stringify(payload), subject, keepUntil]
      const { rowCount } = await guardDatabase(() =>
        payload.kind === 'family'
          ? pool.query(APPEND_END, [...values, ...endedLogin(payload.end)])
          : pool.query(APPEND, values),
      )
      return rowCount === 1
    },

    async findLogin(familyId) {
      const { rows } = await guardDatabase(() =>
        pool.query<Pick<JournalRow, 'payload'>>(
          'SELECT payload FROM journal WHERE subject = $1 AND keep_until > now()',
          [loginSubject(familyId)],
        ),
      )
      const payload = rows[0]?.payload
      return payload?.kind === 'created' ? loginOf(payload) : undefined
    },

    async retractLogin(familyId) {
      await guardDatabase(() =>
        pool.query('DELETE FROM journal WHERE subject = $1', [loginSubject(familyId)]),
      )
    },

    async *readSince(sinceMs) {
      const pages = eachPage(PAGE_ROWS, { at: new Date(sinceMs), id: '0' }, readPage)
      let next = pages.next()
      for (;;) {
        const { value: rows } = await next
        if (!rows) return
        // The next page is read while this one is being applied. A caller that stops early never
        // awaits it, so its failure must not become an unhandled rejection.
        next = pages.next()
        next.catch(() => {})
        yield rows.map(toEntry)
      }
    },

    prune: (nowMs, longestFamilyMs) =>
      deleteInBatches(pool, { table: 'journal', condition: ENDS_NOTHING }, [
        nowMs,
        longestFamilyMs,
      ]),
  }
}

// NOT EXISTS beside ON CONFLICT, because a conflict alone would still use up a number of the
// sequence.
const APPEND = `INSERT INTO journal (payload, subject, keep_until)
  SELECT $1::jsonb, $2::text, $3::timestamptz
  WHERE $2::text IS NULL OR NOT EXISTS (SELECT FROM journal WHERE subject = $2)
  ON CONFLICT (subject) DO NOTHING`

// An end deletes the login's entry, so that re-applying the journal cannot restore the family. One
// that the store will refuse leaves it there: the store may have lost the family.
const APPEND_END = `WITH login AS (DELETE FROM journal WHERE subject = $4 AND payload @> $5::jsonb)
  ${APPEND}`

/** The subject of the login that the end takes along, and what its entry must contain for that. */
function endedLogin({ familyId, clientId, secretHash }: EndFamily): string[] {
  // A condition that the end does not have is undefined, and left out of the JSON.
  return [loginSubject(familyId), JSON.stringify({ login: { family: { clientId, secretHash } } })]
}

/** `$1` is the moment, `$2` the longest life of a family, both in milliseconds. */
const ENDS_NOTHING = `keep_until < to_timestamp($1::float8 / 1000)
  OR (keep_until IS NULL AND at < to_timestamp(($1::float8 - GREATEST($2::float8, (
    SELECT 1000::float8 * max(GREATEST(refresh_absolute_ttl_seconds, access_token_ttl_seconds))
    FROM clients))) / 1000))`

function toEntry({ id, at, payload }: JournalRow): JournalEntry {
  return { id: BigInt(id), atMs: at.getTime(), payload }
}

/**
 * Journals a user's change in the transaction that makes it, which holds the lock of the user's
 * row, so that changes of one user come in order. The newest record includes what those before it
 * said, so it replaces them: one entry for each user, however often somebody logs out other
 * sessions.
 */
export async function journalUserChange(
  tx: Prisma.TransactionClient,
  record: UserRecord,
): Promise<void> {
  const payload: JournalPayload = { kind: 'user', record }
  const subject = `user:${record.userId}`
  await tx.$executeRaw`
    INSERT INTO journal (payload, subject) VALUES (${JSON.stringify(payload)}::jsonb, ${subject})
    ON CONFLICT (subject) DO UPDATE
      SET id = excluded.id, at = excluded.at, payload = excluded.payload`
}
