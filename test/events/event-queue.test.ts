// The queue of events: batches, bounds, and what happens while nothing can be written.

import { EventEmitter, once } from 'node:events'
import { test } from 'tap'
import type { AuditEvent } from '../../src/events/audit-event.ts'
import { openEventQueue } from '../../src/events/event-queue.ts'
import { DependencyUnavailable } from '../../src/runtime/dependency-unavailable.ts'
import { inOwnTime } from '../support/own-time.ts'
import { until } from '../support/until.ts'

const away = () => Promise.reject(new DependencyUnavailable('postgresql', 'test'))

/** A queue before a table that the test is. */
function openQueue(options: { waitingMax?: number } = {}) {
  const batches: (readonly AuditEvent[])[] = []
  const lost: number[] = []
  const refused: unknown[] = []
  let write = async (_events: readonly AuditEvent[]): Promise<void> => {}
  const queue = openEventQueue({
    ...options,
    clock: Date.now,
    onLost: (count) => {
      lost.push(count)
      queue.record({ type: 'events.dropped', detail: { count } })
    },
    onRefused: (error) => refused.push(error),
    async write(events) {
      await write(events)
      batches.push(events)
    },
  })
  return {
    queue,
    batches,
    lost,
    refused,
    written: () => batches.flat().map(({ subject, type }) => subject ?? type),
    recordMany: (count: number, from = 0) => {
      for (let number = from; number < from + count; number += 1) {
        queue.record({ type: 'user.created', subject: String(number) })
      }
    },
    writeWith(other: typeof write) {
      write = other
    },
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, number) => String(number))

test('nothing is written before the one who records has gone on', async (t) => {
  const { queue, recordMany, batches, written } = openQueue()
  recordMany(100)
  t.equal(batches.length, 0)
  await until('the batch', () => batches.length === 1)
  t.strictSame(written(), numbers(100))
  await queue.close()
})

test('a few events are gathered, many go at once, in batches and in order', async (t) => {
  const { queue, recordMany, batches, written } = openQueue()
  recordMany(3)
  await until('the first batch', () => batches.length === 1)
  t.equal(batches[0]?.length, 3)
  recordMany(250, 3)
  await until('the rest', () => batches.length === 4)
  t.strictSame(
    batches.map((batch) => batch.length),
    [3, 100, 100, 50],
  )
  t.strictSame(written(), numbers(253))
  await queue.close()
})

test('a full queue loses the newest, counts them, and says so when it moves again', async (t) => {
  const { queue, recordMany, lost, written, writeWith } = openQueue({ waitingMax: 150 })
  const signals = new EventEmitter()
  const started = once(signals, 'started')
  writeWith(async () => {
    signals.emit('started')
    await once(signals, 'go')
  })
  recordMany(100)
  await started
  // A batch is on its way, which is not counted: 150 more find room.
  recordMany(170, 100)
  writeWith(async () => {})
  signals.emit('go')
  await until('the report', () => written().includes('events.dropped'))
  t.strictSame(lost, [20])
  t.strictSame(written(), [...numbers(250), 'events.dropped'])
  await queue.close()
  t.strictSame(lost, [20])
})

test('while PostgreSQL is away the same batch is tried again; nothing is lost or doubled', async (t) => {
  const { queue, recordMany, batches, lost, written, writeWith } = openQueue()
  const tried: (readonly AuditEvent[])[] = []
  writeWith(async (events) => {
    tried.push(events)
    if (tried.length < 3) await away()
  })
  recordMany(2)
  await until('an attempt', () => tried.length === 1)
  recordMany(300, 2)
  await until('all', () => written().length === 302)
  t.strictSame(tried[1], tried[0])
  t.strictSame(tried[2], tried[0])
  t.equal(batches[0], tried[2])
  t.strictSame(written(), numbers(302))
  t.strictSame(lost, [])
  await queue.close()
})

test('an event that the database refuses does not keep the others from being written', async (t) => {
  const { queue, recordMany, lost, refused, written, writeWith } = openQueue()
  writeWith(async (events) => {
    if (events.some(({ subject }) => subject === '7')) throw new RangeError('no such text')
  })
  recordMany(20)
  await until('the report', () => written().includes('events.dropped'))
  const others = numbers(20).filter((number) => number !== '7')
  t.strictSame(written().toSorted(), [...others, 'events.dropped'].toSorted())
  t.match(refused, [RangeError])
  t.strictSame(lost, [1])
  await queue.close()
})

test('closing writes everything that waits', async (t) => {
  const { queue, recordMany, written, lost } = openQueue()
  recordMany(1_234)
  await queue.close()
  t.strictSame(written(), numbers(1_234))
  t.strictSame(lost, [])
  recordMany(1)
  await queue.close()
  t.equal(written().length, 1_234, 'after that nothing is taken any more')
})

test('closing tries for a while and then says how many are lost', async (t) => {
  const { queue, recordMany, written, lost, writeWith } = openQueue()
  writeWith(away)
  recordMany(120)
  await inOwnTime('the close', queue.close(), 5_000)
  t.strictSame(lost, [120])
  t.strictSame(written(), [])
})

test('a kind that floods a full queue pushes out no other', async (t) => {
  const { queue, recordMany, lost, written, writeWith } = openQueue({ waitingMax: 150 })
  const signals = new EventEmitter()
  const started = once(signals, 'started')
  writeWith(async () => {
    signals.emit('started')
    await once(signals, 'go')
  })
  recordMany(100)
  await started
  recordMany(500, 100)
  for (const subject of ['a', 'b', 'c']) queue.record({ type: 'user.disabled', subject })
  recordMany(500, 600)
  for (let count = 0; count < 100; count += 1) queue.record({ type: 'token.revoked' })
  writeWith(async () => {})
  signals.emit('go')
  await until('the report', () => written().includes('events.dropped'))
  await queue.close()
  const after = written().slice(100)
  t.strictSame(
    after.filter((subject) => 'abc'.includes(subject)),
    ['a', 'b', 'c'],
    'the rare kind is whole',
  )
  // Of two kinds that flood, each has half of what the rare one leaves.
  t.equal(after.filter((subject) => subject === 'token.revoked').length, 73)
  t.strictSame(after.slice(0, 74), numbers(174).slice(100), 'the oldest of the flood')
  t.strictSame(lost, [1_203 - 100 - 150])
})

test('failed logins of one source take one place, however many', async (t) => {
  const { queue, batches } = openQueue({ waitingMax: 1 })
  for (let count = 0; count < 500; count += 1) {
    queue.record({ type: 'login.failed', ip: '192.0.2.1' })
  }
  await queue.close()
  // Two if the minute turned meanwhile, of which the second found no room.
  t.equal(batches.flat().filter(({ type }) => type === 'login.failed').length, 1)
  t.ok(Number(batches[0]?.[0]?.detail?.count) > 0)
})
