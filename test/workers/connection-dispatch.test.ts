// Connections and workers: each to one, the one that has waited longest, and none lost with a worker.

import type { Socket } from 'node:net'
import { Socket as NetSocket } from 'node:net'
import { test } from 'tap'
import { openConnectionDispatch, type Receiver } from '../../src/workers/connection-dispatch.ts'

function worker() {
  const handed: { listener: number; socket: Socket }[] = []
  const receiver: Receiver = { hand: (listener, socket) => void handed.push({ listener, socket }) }
  return { receiver, handed }
}

test('free workers take turns, and a busy one is left out', async (t) => {
  const dispatch = openConnectionDispatch()
  const [a, b] = [worker(), worker()]
  for (const { receiver } of [a, b]) dispatch.join(receiver)
  const sockets = Array.from({ length: 5 }, () => new NetSocket())
  for (const socket of sockets) dispatch.add(0, socket)
  t.equal(a.handed.length, 1)
  t.equal(b.handed.length, 1, 'one on its way at a time')
  for (let i = 0; i < 3; i += 1) dispatch.taken(b.receiver)
  t.strictSame(
    b.handed.map(({ socket }) => sockets.indexOf(socket as NetSocket)),
    [1, 2, 3, 4],
  )
  t.strictSame(
    sockets.map(({ destroyed }) => destroyed),
    [false, true, true, true, false],
    'what was taken is closed here, and nothing else',
  )
})

test('what was on its way to a worker that ends goes to another, before all others', async (t) => {
  const dispatch = openConnectionDispatch()
  const [a, b] = [worker(), worker()]
  const sockets = Array.from({ length: 3 }, () => new NetSocket())
  for (const socket of sockets) dispatch.add(1, socket)
  dispatch.join(a.receiver)
  const emptied = dispatch.emptied()
  dispatch.leave(a.receiver)
  dispatch.taken(a.receiver)
  dispatch.join(b.receiver)
  for (const _ of sockets) dispatch.taken(b.receiver)
  await emptied
  t.strictSame(
    b.handed.map(({ socket }) => sockets.indexOf(socket as NetSocket)),
    [0, 1, 2],
  )
  t.strictSame([...new Set(b.handed.map(({ listener }) => listener))], [1])
  t.equal(a.handed.length, 1)
})

test('so many connections wait for a worker, and further ones are closed', async (t) => {
  const dispatch = openConnectionDispatch()
  const sockets = Array.from({ length: 1_025 }, () => new NetSocket())
  for (const socket of sockets) dispatch.add(0, socket)
  t.strictSame(sockets.map(({ destroyed }) => destroyed).lastIndexOf(false), 1_023)
  t.ok(sockets.at(-1)?.destroyed)
})
