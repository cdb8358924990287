// The bounds on heavy work: so many at once, so many waiting, so long (docs/semantics.md §7).

import { test } from 'tap'
import { openHashingLanes } from '../../src/users/hashing-lanes.ts'
import { settle } from '../scenes/user-fixture.ts'

const LONG_MS = 60_000

/** Work that ends when it is told to. */
function openWork() {
  let running = 0
  const finishers: (() => void)[] = []
  return {
    running: () => running,
    /** Ends the oldest, once everything that can start has started. */
    finishOne: async () => {
      await settle()
      finishers.shift()?.()
    },
    work: async () => {
      running += 1
      await new Promise<void>((resolve) => finishers.push(resolve))
      running -= 1
    },
  }
}

test('no more work runs at once than there are lanes, in order of arrival', async (t) => {
  const lanes = openHashingLanes({ lanes: 2, queueMax: 10, waitMaxMs: LONG_MS })
  const { work, running, finishOne } = openWork()
  const order: number[] = []
  const all = [0, 1, 2, 3, 4].map((index) =>
    lanes.run(async () => {
      order.push(index)
      await work()
      return index
    }),
  )
  for (let left = 5; left > 0; left -= 1) {
    await settle()
    t.equal(running(), Math.min(2, left))
    await finishOne()
  }
  t.same(await Promise.all(all), [0, 1, 2, 3, 4])
  t.same(order, [0, 1, 2, 3, 4])
})

test('a full queue refuses at once with login_queue_full and a Retry-After', async (t) => {
  const lanes = openHashingLanes({ lanes: 1, queueMax: 1, waitMaxMs: LONG_MS })
  const { work, finishOne } = openWork()
  const running = lanes.run(work)
  const waiting = lanes.run(work)
  await t.rejects(lanes.run(work), {
    reason: 'login_queue_full',
    status: 503,
    code: 'temporarily_unavailable',
    retryAfterSeconds: 2,
  })
  await finishOne()
  await running
  const nextInQueue = lanes.run(work)
  await settle()
  await finishOne()
  await waiting
  await finishOne()
  await nextInQueue
})

test('who waits longer than the deadline is refused with login_queue_timeout', async (t) => {
  const lanes = openHashingLanes({ lanes: 1, queueMax: 1, waitMaxMs: 5 })
  const { work, running, finishOne } = openWork()
  const first = lanes.run(work)
  await t.rejects(lanes.run(work), {
    name: 'OAuthError',
    reason: 'login_queue_timeout',
    retryAfterSeconds: 2,
  })
  t.equal(running(), 1, 'the deadline counts waiting, not work')
  await finishOne()
  await first
  const later = lanes.run(work)
  await settle()
  t.equal(running(), 1, 'who gave up holds neither a lane nor a place')
  await finishOne()
  await later
})

test('an aborted waiter leaves the queue, and its place is free', async (t) => {
  const lanes = openHashingLanes({ lanes: 1, queueMax: 1, waitMaxMs: LONG_MS })
  const { work, running, finishOne } = openWork()
  const first = lanes.run(work)
  const controller = new AbortController()
  const aborted = lanes.run(work, controller.signal)
  controller.abort()
  await t.rejects(aborted, { name: 'OAuthError', reason: 'login_queue_timeout' })
  await t.rejects(lanes.run(work, controller.signal), {
    name: 'OAuthError',
    reason: 'login_queue_timeout',
  })
  const second = lanes.run(work)
  await finishOne()
  await first
  await settle()
  t.equal(running(), 1)
  await finishOne()
  await second
})

test('work that throws gives its lane back', async (t) => {
  const lanes = openHashingLanes({ lanes: 1, queueMax: 0, waitMaxMs: LONG_MS })
  const failing = async () => {
    throw new Error('failed')
  }
  await t.rejects(lanes.run(failing), { message: 'failed' })
  t.equal(await lanes.run(async () => 'ran'), 'ran')
})

test('who was admitted holds a place while it does something else, and enters a lane with it', async (t) => {
  const lanes = openHashingLanes({ lanes: 1, queueMax: 0, waitMaxMs: LONG_MS })
  let finishLooking = () => {}
  const looking = new Promise<void>((resolve) => (finishLooking = resolve))
  const admitted = lanes.admit(async (runInLane) => {
    await looking
    return await runInLane(async () => 'worked')
  })
  let began = 0
  await t.rejects(
    lanes.admit(async () => {
      began += 1
    }),
    { reason: 'login_queue_full', code: 'temporarily_unavailable' },
  )
  await t.rejects(
    lanes.run(async () => {}),
    { reason: 'login_queue_full', code: 'temporarily_unavailable' },
  )
  t.equal(began, 0, 'refused before anything was done')
  finishLooking()
  t.equal(await admitted, 'worked')
  await t.rejects(
    lanes.admit(async () => {
      throw new Error('the work failed')
    }),
    { message: 'the work failed' },
  )
  t.equal(await lanes.run(async () => 'free again'), 'free again')
})
