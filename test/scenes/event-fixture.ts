// A table of events that has been written for ninety days: thirty partitions with the same number of
// rows each, of few types and clients, many users and still more sessions.

import type { Database } from '../../src/database/database.ts'
import { openPlainQuery } from '../../src/database/plain-query.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { makeEventPartition } from '../../src/events/event-partitions.ts'
import { keepEventPartitions } from '../../src/events/event-retention.ts'

export const DAY_MS = 24 * 60 * 60 * 1000
export const KEPT_DAYS = 90
/** Beyond the first partition, which ends two weeks from now. */
export const FILLED_UNTIL_MS = (Math.floor(Date.now() / DAY_MS / 3) * 3 + 108) * DAY_MS

const FILL_MS = 20 * 60 * 1000

/** Of the rare type, of the rare client and about `user-1`: as many, however many others there are. */
const RARE_COUNT = 300
const FILL = `
  INSERT INTO audit_events (id, at, type, subject, client_id, session_id, ip, user_agent, detail)
  SELECT gen_random_uuid(), $1::timestamptz - (i - 0.5) * $2::float8 * interval '1 ms',
    CASE i % $4::bigint WHEN 0 THEN 'secret.compromised'
      ELSE (ARRAY['login.succeeded', 'token.revoked', 'refresh.retried'])[1 + i / 7 % 3] END,
    'user-' || CASE i % $4 WHEN 1 THEN 1 ELSE 2 + i % ($3 / 10) END,
    CASE i % $4 WHEN 2 THEN 'rare' ELSE 'client-' || i / 5 % 7 END,
    'session-' || i / 4, '192.0.2.1', 'Mozilla/5.0 (X11; Linux x86_64)', '{"by": "somebody"}'
  FROM generate_series(1, $3::bigint) AS i`

/** Writes so many events, evenly over the days that are kept before FILLED_UNTIL_MS. */
export async function fillEvents({ pool }: Pick<Database, 'pool'>, count: number): Promise<void> {
  await keepEventPartitions(pool, { nowMs: Date.now(), keptDays: KEPT_DAYS })
  for (let day = 3; day <= KEPT_DAYS; day += 3) {
    await inTransaction(pool, (client) =>
      makeEventPartition(client, FILLED_UNTIL_MS - day * DAY_MS, 3),
    )
  }
  const stepMs = (KEPT_DAYS * DAY_MS) / count
  const until = new Date(FILLED_UNTIL_MS)
  await inTransaction(
    pool,
    async (client) => {
      const query = openPlainQuery(client, FILL_MS)
      await query(`SET LOCAL statement_timeout = ${FILL_MS}`)
      await query(FILL, [until, stepMs, count, Math.floor(count / RARE_COUNT)])
      await query('ANALYZE audit_events')
    },
    FILL_MS,
  )
}
