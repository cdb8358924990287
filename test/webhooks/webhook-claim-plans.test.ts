// What looking for due deliveries and claiming them cost is the same, whatever waits for a receiver that
// is dead.

import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { openWebhookOutbox } from '../../src/webhooks/webhook-outbox.ts'
import { openPlannedDatabase, readingOf, scansOf } from '../support/query-plans.ts'

const PENDING = 100_000
const CLAIMED = 8

test('a hundred thousand deliveries to a dead webhook cost the claim of another nothing', async (t) => {
  const { database, prepare, plansOf } = await openPlannedDatabase(t)
  const outbox = openWebhookOutbox(database)
  const [dead, live] = [randomUUID(), randomUUID()]
  await prepare(
    `INSERT INTO webhooks (id, url, events, description, status, allow_private_network,
       secrets_encrypted, root_secret_id, created_at, updated_at)
     SELECT id, 'https://hooks.example.com/', '{}', '', 'active', false, '', 1, now(), now()
     FROM unnest('{${dead},${live}}'::uuid[]) AS id`,
  )
  const fill = (webhookId: string, count: number) =>
    prepare(
      `INSERT INTO webhook_deliveries (id, webhook_id, type, next_attempt_at)
       SELECT gen_random_uuid(), '${webhookId}', 'webhook.test', now() - i * interval '1 ms'
       FROM generate_series(1, ${count}) AS i; ANALYZE webhook_deliveries`,
    )
  const look = () => plansOf(() => outbox.listDue([]))
  const claim = () =>
    plansOf(async () => {
      const claimed = await outbox.claim([{ webhookId: live, room: CLAIMED }])
      t.equal(claimed.length, CLAIMED)
    })
  await fill(live, 1_000)
  const alone = [readingOf(await look()), readingOf(await claim())]
  await fill(dead, PENDING)
  for (const [index, step] of [look, claim].entries()) {
    const plans = await step()
    const [before, after] = [alone[index], readingOf(plans)]
    t.strictSame(scansOf(plans, 'webhook_deliveries'), [])
    t.ok(after.rows <= CLAIMED, `${after.rows} rows are read at most`)
    // Both are looked at, in an index that is a page or two higher, and so for each row that is changed.
    const higher = CLAIMED * 10
    const blocks = `${before?.blocks} and ${after.blocks} blocks`
    t.ok(after.blocks <= (before?.blocks ?? 0) * 1.2 + higher, blocks)
  }
})
