// Whoever comes later in the order stands back while there is too much to do, and is never shut out for good.

import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'tap'
import { openAdmission } from '../../src/admission/admission.ts'
import type { LoadClass } from '../../src/admission/load-class.ts'
import { LINE_MAX } from '../../src/admission/waiting-line.ts'
import { until } from '../support/until.ts'

function openScene() {
  const time = { nowMs: 0, workedMs: 0 }
  const begun: string[] = []
  const admission = openAdmission({ clock: () => time.nowMs, worked: () => time.workedMs })
  /** Work that never ends. */
  const ask = (loadClass: LoadClass, name: string) =>
    void admission
      .run(loadClass, {
        begin: () => {
          begun.push(name)
          return new Promise<never>(() => {})
        },
        hasLeft: () => false,
      })
      .catch(() => {})
  return { time, begun, ask }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('while somebody is turned away, others are begun beside refreshes only as the event loop rests', async (t) => {
  const { time, begun, ask } = openScene()
  ask('refresh', 'refresh')
  for (let count = 0; count <= LINE_MAX; count += 1) ask('client_credentials', 'service')
  await turn()
  t.strictSame(begun, ['refresh', 'service'], 'one was turned away')
  time.nowMs = 30
  time.workedMs = 30
  await until('the one of each 20 ms', () => begun.length === 3)
  await delay(20)
  t.equal(begun.length, 3, 'an event loop that never rested has time for nobody else')
  time.nowMs = 45
  await until('more', () => begun.length > 3)
})

test('without refreshes an event loop that never rests stops nobody', async (t) => {
  const { time, begun, ask } = openScene()
  for (let count = 0; count <= LINE_MAX; count += 1) ask('client_credentials', 'service')
  time.nowMs = 10
  time.workedMs = 30
  await turn()
  t.equal(begun.length, LINE_MAX)
})

test('logins stand back while tokens of clients are turned away, but for one each second', async (t) => {
  const { time, begun, ask } = openScene()
  time.nowMs = 990
  for (let count = 0; count <= LINE_MAX; count += 1) ask('client_credentials', 'service')
  ask('login', 'login 1')
  await turn()
  t.equal(begun.length, LINE_MAX, 'one was turned away, all others have begun')
  await delay(20)
  t.notOk(begun.includes('login 1'))
  time.nowMs = 1_000
  for (let count = 0; count <= LINE_MAX; count += 1) ask('client_credentials', 'service')
  await until('one', () => begun.includes('login 1'))
  t.ok(begun.indexOf('login 1') <= LINE_MAX + 1, 'before nearly all others that wait')
  time.nowMs = 1_990
  ask('login', 'login 2')
  await delay(20)
  t.notOk(begun.includes('login 2'))
  time.nowMs = 2_000
  await until('another one', () => begun.includes('login 2'))
  time.nowMs = 3_000
  ask('login', 'login 3')
  ask('login', 'login 4')
  await until('all, as nobody was turned away for two seconds', () => begun.includes('login 4'))
})
