// The journal in its table. Its clock is the database's, because instances write it together.

import { type Database, guardDatabase } from '../database/database.ts'
import type { Prisma } from '../generated/prisma/client.ts'
import type { Journal, JournalEntry, JournalPayload } from './journal.ts'

/** Rows read or deleted by one statement, so that each stays well within its deadline. */
const BATCH_ROWS = 5_000

interface JournalRow {
  readonly id: string
  readonly at: Date
  readonly payload: JournalPayload
}

/**
 * A row becomes visible when its transaction commits, later than its `at`: who reads on from an
 * earlier read must overlap it by the longest transaction, and meet some entries twice.
 */
export function openPostgresJournal(database: Pick<Database, 'pool'>): Journal {
  const { pool } = database
  return {
    async append(payload) {
      await guardDatabase(() =>
        pool.query('INSERT INTO journal (payload) VALUES ($1)', [JSON.stringify(payload)]),
      )
    },

    async readSince(sinceMs) {
      const entries: JournalEntry[] = []
      let after = { at: new Date(sinceMs), id: '0' }
      for (;;) {
        const { at, id } = after
        const { rows } = await guardDatabase(() =>
          pool.query<JournalRow>(
            `SELECT id, at, payload FROM journal WHERE (at, id) > ($1, $2)
             ORDER BY at, id LIMIT $3`,
            [at, id, BATCH_ROWS],
          ),
        )
        for (const row of rows) {
          entries.push({ id: BigInt(row.id), atMs: row.at.getTime(), payload: row.payload })
        }
        const last = rows.at(-1)
        if (!last || rows.length < BATCH_ROWS) return entries
        after = last
      }
    },

    async prune(olderThanMs) {
      let deleted: number
      do {
        const { rowCount } = await guardDatabase(() =>
          pool.query(
            `DELETE FROM journal WHERE id IN
               (SELECT id FROM journal WHERE at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
            [new Date(olderThanMs), BATCH_ROWS],
          ),
        )
        deleted = rowCount ?? 0
      } while (deleted === BATCH_ROWS)
    },
  }
}

/** Journals a user's change in the transaction that makes it. */
export async function journalUserChange(
  tx: Prisma.TransactionClient,
  payload: Extract<JournalPayload, { kind: 'user' }>,
): Promise<void> {
  await tx.$executeRaw`INSERT INTO journal (payload) VALUES (${JSON.stringify(payload)}::jsonb)`
}
