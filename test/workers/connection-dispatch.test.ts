// Connections and workers: each to one, the one that has waited longest, and none lost with a worker.

import type { Socket } from 'node:net'
import { Socket as NetSocket } from 'node:net'
import { test } from 'tap'
import { openConnectionDispatch, type Receiver } from '../../src/workers/connection-dispatch.ts'

const [ROOMY, FULL] = [{ isFull: false }, { isFull: true }]

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
  for (let i = 0; i < 3; i += 1) dispatch.taken(b.receiver, ROOMY)
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
  dispatch.taken(a.receiver, ROOMY)
  dispatch.join(b.receiver)
  for (const _ of sockets) dispatch.taken(b.receiver, ROOMY)
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

test('who is full is handed nothing while another has room, though that one is busy', async (t) => {
  const dispatch = openConnectionDispatch()
  const [a, b] = [worker(), worker()]
  for (const { receiver } of [a, b]) dispatch.join(receiver)
  const counts = () => [a.handed.length, b.handed.length]
  const add = (count: number, listener = 0) => {
    for (let i = 0; i < count; i += 1) dispatch.add(listener, new NetSocket())
  }
  add(3)
  t.strictSame(counts(), [1, 1])
  dispatch.taken(a.receiver, FULL)
  t.strictSame(counts(), [1, 1], 'the third waits for the other')
  add(1, 1)
  t.strictSame(counts(), [2, 1], 'another listener has its own room')
  dispatch.taken(a.receiver, ROOMY)
  dispatch.taken(b.receiver, ROOMY)
  t.strictSame(counts(), [2, 2])
  dispatch.taken(b.receiver, FULL)
  add(1)
  t.strictSame(counts(), [3, 2], 'where nobody has room, who has waited longest')
  dispatch.taken(a.receiver, FULL)
  dispatch.hasRoom(b.receiver, 0)
  add(1)
  t.strictSame(counts(), [3, 3])
  dispatch.leave(b.receiver)
  t.strictSame(counts(), [4, 3], 'who has ended has no room')
})

test('a worker with room that is stuck holds up no more than half of those that may wait', async (t) => {
  const dispatch = openConnectionDispatch()
  const [a, b] = [worker(), worker()]
  for (const { receiver } of [a, b]) dispatch.join(receiver)
  for (let i = 0; i < 2; i += 1) dispatch.add(0, new NetSocket())
  dispatch.taken(a.receiver, FULL)
  for (let i = 0; i < 512; i += 1) dispatch.add(0, new NetSocket())
  t.equal(a.handed.length, 1)
  dispatch.add(0, new NetSocket())
  t.equal(a.handed.length, 2)
})
