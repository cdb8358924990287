// How many connections may be open. When there is no room for one more, one that nobody has used gives way;
// only where all are in use is the newcomer refused. So whoever opens connections by the thousand, and
// sends nothing, a header now and then or half a body, loses them first, and among themselves: those on
// which a request was answered stay.

import type { Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { wasUsed } from './answers-in-turn.ts'

/** What was closed for lack of room. */
export type Displaced = 'unused' | 'newcomer'

export interface ConnectionBound {
  readonly max: number
  readonly onFull: (displaced: Displaced) => void
}

/** How many are looked at for one newcomer; the next one goes on from there. */
const LOOKS_MAX = 64
/** One in so many may be without a single answer before others give way to newcomers. */
const FRESH_SHARE = 4

/** Bounds the connections of the application's own server, whoever accepts them. Returns how many there are. */
export function boundConnections(
  app: FastifyInstance,
  { max, onFull }: ConnectionBound,
): () => number {
  const { server } = app
  /** Those on which nothing was answered when they were last looked at, in the order of their coming. */
  const fresh = new Set<Socket>()
  /** The others, in the order in which they are looked at when there is no room. */
  const known = new Set<Socket>()
  const carriedBy = followEncryption(server)
  const size = () => fresh.size + known.size

  function closeUnused(): boolean {
    const looks = { left: Math.min(size(), LOOKS_MAX) }
    const unanswered = findUnused(fresh, looks)
    const unused =
      unanswered && fresh.size > max / FRESH_SHARE
        ? unanswered
        : (findUnused(known, looks) ?? unanswered)
    unused?.destroy()
    return unused !== undefined && (fresh.delete(unused) || known.delete(unused))
  }

  /** Each one that was used since the last look is spared once more, and is known from then on. */
  function findUnused(among: Set<Socket>, looks: { left: number }): Socket | undefined {
    for (const socket of among) {
      // Those that are spared go to the end, where the loop would find them again.
      if (looks.left === 0) return undefined
      looks.left -= 1
      if (!wasUsed(carriedBy(socket))) return socket
      among.delete(socket)
      known.add(socket)
    }
    return undefined
  }

  const accept = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    if (size() >= max) {
      const hasRoom = closeUnused()
      onFull(hasRoom ? 'unused' : 'newcomer')
      if (!hasRoom) return void socket.destroy()
    }
    fresh.add(socket)
    socket.once('close', () => fresh.delete(socket) || known.delete(socket))
    for (const listener of accept) listener.call(server, socket)
  })
  return size
}

/** What carries the requests of a connection: itself or, with TLS, what decrypts it. */
function followEncryption(server: FastifyInstance['server']): (socket: Socket) => Socket {
  if (!(server instanceof TlsServer)) return (socket) => socket
  const byPeer = new Map<string, Socket>()
  server.on('secureConnection', (decrypted: Socket) => {
    const peer = peerOf(decrypted)
    byPeer.set(peer, decrypted)
    decrypted.once('close', () => byPeer.delete(peer))
  })
  return (socket) => byPeer.get(peerOf(socket)) ?? socket
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
