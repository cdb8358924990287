// A wire that can be cut, fall silent or deliver late, between a store and its server. A firewall
// that drops packets looks like `hang`, a crashed host or a closed port like `cut`, a route that is
// lost and found again, while the kernel repeats what it was given, like `stall`.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Scope } from '../support/scope.ts'

export interface TcpProxy {
  readonly port: number
  /** Drops every connection and refuses new ones; resolves when the port is closed. */
  cut(): Promise<void>
  /** Accepts, and passes nothing on any more. */
  hang(): void
  /** The same, and gives the port up, for somebody else to take. */
  vanish(): void
  heal(): Promise<void>
  /** Keeps what is sent to the server, also beyond the sender's own patience. */
  stall(): void
  /** Delivers what was kept, to the letter and in order, and passes everything on again. */
  deliver(): void
}

/** Listens on a free port of the loopback and passes everything on to `target`. */
export async function openTcpProxy(
  t: Scope,
  target: { readonly host: string; readonly port: number },
): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let silent = false
  let kept: (() => void)[] | undefined
  /** At once, or when what stalls is delivered. */
  const towardsServer = (work: () => void) => (kept ? kept.push(work) : work())
  const server = createServer((near) => {
    sockets.add(near)
    near.on('close', () => sockets.delete(near)).on('error', () => {})
    if (silent) return
    const far = connect(target)
    sockets.add(far)
    far.on('close', () => sockets.delete(far)).on('error', () => near.destroy())
    near.on('data', (bytes) => silent || towardsServer(() => far.write(bytes)))
    near.on('close', () => towardsServer(() => far.end()))
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
    vanish() {
      silent = true
      server.close()
    },
    async heal() {
      if (!silent && server.listening) return
      // What was swallowed is lost for good, so the connections from before must go.
      drop()
      silent = false
      if (!server.listening) await listen(port)
    },
    stall() {
      kept ??= []
    },
    deliver() {
      const late = kept ?? []
      kept = undefined
      for (const work of late) work()
    },
  }
}
