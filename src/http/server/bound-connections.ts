// How many connections may be open. When there is no room for one more, one that nobody has used gives way;
// only where all are in use is the newcomer refused. So whoever opens connections by the thousand, and
// sends nothing or a header now and then, loses them first.

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

/** Bounds the connections of the application's own server, whoever accepts them. Returns how many there are. */
export function boundConnections(
  app: FastifyInstance,
  { max, onFull }: ConnectionBound,
): () => number {
  const { server } = app
  /** In the order in which they are looked at when there is no room. */
  const open = new Set<Socket>()
  const carriedBy = followEncryption(server)

  /** Each connection that was used since the last look is spared once more. */
  function closeUnused(): boolean {
    // Those that are spared go to the end, where the loop would find them again.
    let looks = Math.min(open.size, LOOKS_MAX)
    for (const socket of open) {
      if (looks === 0) return false
      looks -= 1
      open.delete(socket)
      if (!wasUsed(carriedBy(socket))) {
        socket.destroy()
        return true
      }
      open.add(socket)
    }
    return false
  }

  const accept = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    if (open.size >= max) {
      const hasRoom = closeUnused()
      onFull(hasRoom ? 'unused' : 'newcomer')
      if (!hasRoom) return void socket.destroy()
    }
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    for (const listener of accept) listener.call(server, socket)
  })
  return () => open.size
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
