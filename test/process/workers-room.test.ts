// LINEAGE_MAX_CONNECTIONS with several workers: a full one is handed nothing while another has room
// (docs/semantics.md §26).

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Test, test } from 'tap'
import { startWorkers } from '../scenes/workers-scene.ts'
import { serverEnvironment } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'

/** Ten for each of two workers. */
const MAX = 20
/** Leaves room for what the start of the test has left open. */
const CALLERS = 16
const REQUEST = 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n'

/** A connection on which a request was answered, and which is kept. */
async function keepOne(t: Test, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  t.ok(await isAnswered(socket))
  return socket
}

/** False where the connection has ended. */
async function isAnswered(socket: Socket): Promise<boolean> {
  if (socket.destroyed) return false
  const settled = new AbortController()
  const { signal } = settled
  // A connection that is reset is one that has ended.
  const nothing = () => ''
  const answer = once(socket, 'data', { signal }).then(([text]) => String(text), nothing)
  const end = once(socket, 'close', { signal }).then(nothing, nothing)
  socket.write(REQUEST)
  const text = await Promise.race([answer, end])
  settled.abort()
  return text.startsWith('HTTP/1.1 200 ')
}

async function answered(sockets: readonly Socket[]): Promise<Socket[]> {
  const among: Socket[] = []
  for (const socket of sockets) if (await isAnswered(socket)) among.push(socket)
  return among
}

test('what a worker that ended has lost is made up by the next, and no other loses any for it', async (t) => {
  const env = serverEnvironment((await openTestDatabase(t)).url)
  const workers = await startWorkers(t, { ...env, LINEAGE_MAX_CONNECTIONS: String(MAX) })
  const { port } = workers.service
  const open: Socket[] = []
  for (let count = 0; count < CALLERS; count += 1) open.push(await keepOne(t, port))
  await workers.replace(1)
  const kept = await answered(open)
  t.ok(kept.length >= CALLERS / 4 && kept.length <= MAX / 2, `${kept.length} at the other`)
  while (kept.length < CALLERS) kept.push(await keepOne(t, port))
  t.equal((await answered(kept)).length, CALLERS)
  t.strictSame(workers.service.log('connections.full'), [])
})
