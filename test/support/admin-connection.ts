// Statements to a test server over a connection of their own, with the server's own settings.

import pg from 'pg'

/** Closes the connection when the work is done or has failed. */
export async function asAdmin<T>(
  serverUrl: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: serverUrl })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
