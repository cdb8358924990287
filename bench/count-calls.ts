// How many calls to Redis and statements of SQL one request causes: counted one by one where they
// arrive, apart from the measurements, which counting would disturb.

import { monitorCommands, POLL } from '../test/support/counted-calls.ts'
import { openScope } from '../test/support/scope.ts'
import { until } from '../test/support/until.ts'
import { COUNTED } from './options.ts'
import type { Participant } from './participant.ts'
import type { ScenarioName } from './scenarios.ts'
import type { Servers } from './support/servers.ts'

export interface Calls {
  /** Commands that clients send; what a script calls inside of Redis is none. */
  readonly redis: number
  /** Statements, without those that open and close a transaction. */
  readonly sql: number
}

/**
 * Lineage writes the events of requests together, a moment later, and follows its journal by
 * polling. When it has polled twice, both are done.
 */
const POLLED = /JOIN table_versions ON true/
const POLLS = 2
/** Looks for an entry of the same subject in the same statement, as the poll does. */
const JOURNAL_ENTRY = /^\s*INSERT INTO journal/
/** What a client of Redis says when it connects. */
const GREETING = /^(info|client|hello|select)\b/i

/**
 * By scenario, of one server's participants; a request, on average. What is polled is left out, since
 * it comes whatever is requested.
 */
export async function countCalls(
  participants: ReadonlyMap<ScenarioName, Participant>,
  { redis, statements }: Servers,
  usesSql: boolean,
): Promise<Map<ScenarioName, Calls>> {
  const settle = async () => usesSql && (await untilPolled(statements))
  const prepared = new Map<ScenarioName, () => Promise<void>>()
  for (const [name, { prepare }] of participants) {
    if (!prepare) continue
    // The first requests make what later ones use, such as connections.
    await (await prepare(2))()
    prepared.set(name, await prepare(COUNTED))
  }
  await settle()
  const scope = openScope()
  const monitor = await monitorCommands(scope, redis.port)
  const counted = new Map<ScenarioName, Calls>()
  const isOurs = (text: string) => {
    if (JOURNAL_ENTRY.test(text)) return true
    // Lineage still applies its journal while another one is counted.
    if (!usesSql && text.includes(' lineage:{')) return false
    return !(POLL.test(text) || GREETING.test(text))
  }
  try {
    for (const [name, send] of prepared) {
      const from = { sql: statements.length, redis: await monitor.seen() }
      await send()
      await settle()
      const commands = (await monitor.commands()).slice(from.redis).filter(isOurs)
      const sql = statements.slice(from.sql).filter(isOurs)
      counted.set(name, { redis: commands.length / COUNTED, sql: sql.length / COUNTED })
    }
    return counted
  } finally {
    await scope.close()
  }
}

async function untilPolled(statements: readonly string[]): Promise<void> {
  const from = statements.length
  const polls = () => statements.slice(from).filter((text) => POLLED.test(text)).length
  await until('two polls', () => polls() >= POLLS)
}
