// Makes an application listen, by itself or where another process accepts its connections. All
// addresses lead to its one HTTP server: the second server that Fastify makes for `localhost` would
// have neither the limits nor the handlers of the first.

import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { DRAIN_MS } from '../../runtime/close-on-signal.ts'

/** Errors for an address that this machine does not have, such as an IPv6 one without IPv6. */
const NOT_HERE: ReadonlySet<unknown> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/** How long a stop goes on accepting what arrives. */
const ARRIVALS_MS = 1_000

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
    await arrivalsAccepted([app.server, ...doors])
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
      if (app.server.listening) doors.push(await openFurtherDoor(app, host))
      else await app.listen({ port, host })
    } catch (error) {
      if (!isNotHere(error) || (isLast && !app.server.listening)) throw error
    }
  }
}

/**
 * Resolves when every connection that the system has taken so far is accepted, or after a second. The system
 * resets those that are not when a listener closes, and a process that waited for its turn has some: close
 * right after.
 */
export async function arrivalsAccepted(listeners: readonly Server[]): Promise<void> {
  const giveUpAt = performance.now() + ARRIVALS_MS
  let hasArrived = false
  const onConnection = () => {
    hasArrived = true
  }
  for (const listener of listeners) listener.on('connection', onConnection)
  // A round of the event loop accepts one connection of each listener.
  do {
    hasArrived = false
    await setImmediate()
  } while (hasArrived && performance.now() < giveUpAt)
  for (const listener of listeners) listener.off('connection', onConnection)
}

/** A listening socket whose connections are handed to the application's own server. */
async function openFurtherDoor(app: FastifyInstance, host: string): Promise<Server> {
  const { port } = app.server.address() as AddressInfo
  // The same options that an HTTP server uses for its own socket.
  const door = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    app.server.emit('connection', socket)
  })
  return await openDoor(door, { port, host })
}

async function openDoor(door: Server, place: { port: number; host: string }): Promise<Server> {
  door.listen(place)
  await once(door, 'listening')
  return door
}

/**
 * Listens at the port of every address that the machine has. Nothing is read of a connection before
 * it is handed on, to another process. Throws as `listenAt` does, with nothing left that listens.
 */
export async function openDoors(
  addresses: readonly string[],
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<Server[]> {
  const doors: Server[] = []
  for (const [index, host] of addresses.entries()) {
    const isLast = index === addresses.length - 1
    const door = createServer({ noDelay: true, pauseOnConnect: true }, onConnection)
    try {
      doors.push(await openDoor(door, { port, host }))
    } catch (error) {
      if (isNotHere(error) && !(isLast && doors.length === 0)) continue
      for (const opened of doors) opened.close()
      throw error
    }
  }
  return doors
}

/**
 * Makes the application ready for connections that another process accepts; the answer takes them
 * one by one. Call before `ready`. Closing the application waits for all of them.
 */
export function takeConnections(app: FastifyInstance): (socket: Socket) => void {
  const open = new Set<Socket>()
  let onEmpty = () => {}
  // An HTTP server begins at this event to keep a list of its connections, which the limits of time
  // and the closing of idle ones go by.
  app.server.emit('listening')
  app.addHook('onClose', async () => {
    if (open.size === 0) return
    await new Promise<void>((resolve) => {
      onEmpty = resolve
    })
  })
  return (socket) => {
    open.add(socket)
    socket.once('close', () => {
      open.delete(socket)
      if (open.size === 0) onEmpty()
    })
    socket.allowHalfOpen = true
    app.server.emit('connection', socket)
  }
}

/** Stops accepting, and waits for requests under way for DRAIN_MS at most. */
export async function drain(app: FastifyInstance): Promise<void> {
  const limit = setTimeout(() => app.server.closeAllConnections(), DRAIN_MS)
  await app.close()
  clearTimeout(limit)
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
