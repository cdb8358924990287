// The tables of clients, webhooks and events: what one row promises of another.

import type { Damage, Invariant } from './invariants.ts'
import type { Query } from './read-users.ts'

/** Each statement gives what breaks the invariant, in the column `detail`. */
const FAULTS: readonly (readonly [Invariant, string])[] = [
  [
    'client_secrets',
    `SELECT id || ' has ' || count(hash) AS detail FROM (
       SELECT clients.id, client_secrets.hash, auth_methods, clients.type FROM clients
       LEFT JOIN client_secrets ON client_id = clients.id) AS held
     GROUP BY id, auth_methods, type
     HAVING count(hash) > 2 OR (count(hash) = 0 AND type = 'confidential'
       AND auth_methods && '{client_secret_basic,client_secret_post}'::text[])
       OR (count(hash) > 0 AND type = 'public')`,
  ],
  [
    'client_log',
    `SELECT client_id || ' at ' || client_changes.version AS detail FROM client_changes
     WHERE version > COALESCE((SELECT version FROM table_versions WHERE name = 'clients'), 0)`,
  ],
  [
    'event_once',
    `SELECT id || ' is there ' || count(*) || ' times' AS detail FROM audit_events
     GROUP BY id HAVING count(*) > 1`,
  ],
  [
    'delivery_has_event',
    `SELECT id || ' of ' || event_id AS detail FROM webhook_deliveries AS delivery
     WHERE (event_id IS NOT NULL AND NOT EXISTS (
         SELECT FROM audit_events WHERE id = delivery.event_id AND at = delivery.event_at))
       OR NOT EXISTS (SELECT FROM webhooks WHERE id = delivery.webhook_id)`,
  ],
  // One that was changed may have subscribed later.
  [
    'webhook_told',
    `SELECT event.id || ' at ' || webhooks.id AS detail
     FROM webhooks JOIN audit_events AS event
       ON event.type = ANY (webhooks.events) AND event.at > webhooks.created_at
     WHERE webhooks.status = 'active' AND webhooks.updated_at = webhooks.created_at
       AND NOT EXISTS (SELECT FROM webhook_deliveries
         WHERE webhook_id = webhooks.id AND event_id = event.id)`,
  ],
]

/** What is wrong in any of these tables. */
export async function checkTables(query: Query): Promise<Damage[]> {
  const damages: Damage[] = []
  for (const [invariant, sql] of FAULTS) {
    for (const { detail } of await query<{ detail: string }>(sql)) {
      damages.push({ invariant, detail })
    }
  }
  return damages
}
