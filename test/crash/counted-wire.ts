// A wire to a store that counts what is sent over it, and blows the fuse at the step that it names.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Scope } from '../support/scope.ts'
import type { Fuse } from './fuse.ts'

export interface CountedWire {
  /** The URL of the store, by way of the wire. */
  readonly url: string
}

/** Passes everything on to the store at `url`; `fuse` is asked for the one of this round. */
export async function openCountedWire(
  scope: Scope,
  url: string,
  fuse: () => Fuse | undefined,
): Promise<CountedWire> {
  const store = { host: '127.0.0.1', port: Number(new URL(url).port) }
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(store)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    }
    let answerBlows = false
    near.on('data', (bytes) => {
      const phase = fuse()?.step().phase
      if (phase === 'unsent') {
        fuse()?.blow()
        near.destroy()
        return
      }
      // More may be sent on the connection before this is answered.
      answerBlows ||= phase === 'answered'
      far.write(bytes, () => phase === 'sent' && fuse()?.blow())
    })
    far.on('data', (bytes) => {
      if (!answerBlows) return near.write(bytes)
      answerBlows = false
      fuse()?.blow()
      return near.destroy()
    })
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  const wired = new URL(url)
  wired.port = String((server.address() as AddressInfo).port)
  wired.hostname = '127.0.0.1'
  return { url: wired.href }
}
