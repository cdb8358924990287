// Makes an application listen. All addresses lead to its one HTTP server: the second server that
// Fastify makes for `localhost` would have neither the limits nor the handlers of the first.

import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** Errors for an address that this machine does not have, such as an IPv6 one without IPv6. */
const NOT_HERE: ReadonlySet<unknown> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/** For `localhost` all of its addresses, because a client may choose any of them. */
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
  // The HTTP server does not count connections that came through a door, so the doors are awaited
  // too.
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

/** A further listening socket, whose connections are handed to the application's own server. */
async function openDoor(app: FastifyInstance, host: string): Promise<Server> {
  // The same options that an HTTP server uses for its own socket.
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
    // The callback is also called for a server that is closing already, after its last connection.
    door.close(() => resolve())
  })
}

function isNotHere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NOT_HERE.has(error.code)
}
