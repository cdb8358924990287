// Where an application listens. All its addresses lead to its one server, because a second one, as
// Fastify makes it for `localhost`, would have neither the limits nor the handlers of the first.

import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** A name can have an address of a family that the machine does not speak. */
const NOT_HERE: ReadonlySet<unknown> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/** `localhost` is all of its addresses: which one a client takes is the client's choice. */
export async function findAddresses(host: string): Promise<string[]> {
  if (host !== 'localhost') return [host]
  const found = await lookup(host, { all: true })
  return [...new Set(found.map(({ address }) => address))]
}

/**
 * Listens at the first address that the machine has, and at the same port of the others, until the
 * application closes. Throws when an address is taken, or when the machine has none of them.
 */
export async function listenAt(
  app: FastifyInstance,
  addresses: readonly string[],
  port: number,
): Promise<void> {
  const doors: Server[] = []
  app.addHook('preClose', async () => {
    for (const door of doors) door.close()
  })
  // What came through a door is the door's to count: the server does not wait for it.
  app.addHook('onClose', async () => {
    await Promise.all(doors.map(whenClosed))
  })
  for (const [index, host] of addresses.entries()) {
    const isLast = index === addresses.length - 1
    try {
      if (app.server.listening) doors.push(await openDoor(app, host))
      else await app.listen({ port, host })
    } catch (error) {
      if (!isNotHere(error) || (isLast && !app.server.listening)) throw error
    }
  }
}

/** Its connections are those of the application's server, which also ends them. */
async function openDoor(app: FastifyInstance, host: string): Promise<Server> {
  // As an HTTP server opens its own.
  const door = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    app.server.emit('connection', socket)
  })
  const { port } = app.server.address() as AddressInfo
  door.listen({ port, host })
  await once(door, 'listening')
  return door
}

function whenClosed(door: Server): Promise<void> {
  return new Promise((resolve) => {
    // Its callback comes also when it was closed before, once the last connection has ended.
    door.close(() => resolve())
  })
}

function isNotHere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NOT_HERE.has(error.code)
}
