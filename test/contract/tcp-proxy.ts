// A wire that can be cut or fall silent, between a store and its server. A firewall that drops
// packets looks like `hang`, a crashed host or a closed port like `cut`.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface TcpProxy {
  readonly port: number
  /** Drops every connection and refuses new ones; resolves when the port is closed. */
  cut(): Promise<void>
  /** Accepts, and passes nothing on any more. */
  hang(): void
  heal(): Promise<void>
}

/** Listens on a free port of the loopback and passes everything on to `target`. */
export async function openTcpProxy(
  t: Test,
  target: { readonly host: string; readonly port: number },
): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let silent = false
  const server = createServer((near) => {
    sockets.add(near)
    near.on('close', () => sockets.delete(near)).on('error', () => {})
    if (silent) return
    const far = connect(target)
    sockets.add(far)
    far.on('close', () => sockets.delete(far)).on('error', () => near.destroy())
    near.on('data', (bytes) => silent || far.write(bytes)).on('close', () => far.destroy())
    far.on('data', (bytes) => silent || near.write(bytes)).on('close', () => near.destroy())
  })
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  const drop = () => {
    for (const socket of sockets) socket.destroy()
  }
  const close = async () => {
    drop()
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  await listen(0)
  const { port } = server.address() as AddressInfo
  t.teardown(close)
  return {
    port,
    cut: close,
    hang() {
      silent = true
    },
    async heal() {
      if (!silent && server.listening) return
      // What was swallowed is lost for good, so the connections from before must go.
      drop()
      silent = false
      if (!server.listening) await listen(port)
    },
  }
}
