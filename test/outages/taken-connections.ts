// Every connection that PostgreSQL gives is somebody else's.

import pg from 'pg'
import { runAsAdmin } from '../support/postgres.ts'
import { until } from '../support/until.ts'

export interface TakenConnections {
  giveBack(): Promise<void>
}

/** Takes those of its clients away, and all that are free, those kept for superusers too. */
export async function takeConnections(serverUrl: string): Promise<TakenConnections> {
  const [row] = (await runAsAdmin(serverUrl, 'SHOW max_connections')) as [
    { max_connections: string },
  ]
  const max = Number(row.max_connections)
  const taken: pg.Client[] = []
  const first = await takeOne(serverUrl)
  if (!first) throw new Error('PostgreSQL has no connection left before any was taken')
  taken.push(first)
  await until('all connections', async () => {
    // Whoever holds one comes back for it, and may be faster.
    await first.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE backend_type = 'client backend' AND application_name <> '${HOLDER}'`)
    for (let one = await takeOne(serverUrl); one; one = await takeOne(serverUrl)) taken.push(one)
    return taken.length === max
  })
  return {
    async giveBack() {
      await Promise.all(taken.map((client) => client.end()))
    },
  }
}

const HOLDER = 'holder of connections'

/** Undefined when the server has none left. */
async function takeOne(connectionString: string): Promise<pg.Client | undefined> {
  const client = new pg.Client({ connectionString, application_name: HOLDER })
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch {
    return undefined
  }
}
