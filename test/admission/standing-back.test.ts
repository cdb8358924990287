// Whoever comes later in the order stands back while there is too much to do, and is never shut out for good.

import { test } from 'tap'
import { openAdmission } from '../../src/admission/admission.ts'
import type { LoadClass } from '../../src/admission/load-class.ts'
import { LINE_MAX } from '../../src/admission/waiting-line.ts'

function openScene() {
  const time = { nowMs: 0 }
  const begun: string[] = []
  const admission = openAdmission({ clock: () => time.nowMs })
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

test('after a long turn nobody is begun beside a refresh, but it is not so for ever', async (t) => {
  const { time, begun, ask } = openScene()
  ask('refresh', 'refresh')
  ask('client_credentials', 'service 1')
  time.nowMs = 2
  await turn()
  t.strictSame(begun, ['refresh'], 'that turn was long')
  await turn()
  t.strictSame(begun, ['refresh', 'service 1'], 'and that one short')
  ask('client_credentials', 'service 2')
  time.nowMs = 21
  await turn()
  t.strictSame(begun.slice(2), [], 'none was begun 19 ms ago')
  ask('client_credentials', 'service 3')
  time.nowMs = 24
  await turn()
  t.strictSame(begun.slice(2), ['service 2'], 'long again, but it was 20 ms')
})

test('without a refresh under way a long turn stops nobody', async (t) => {
  const { time, begun, ask } = openScene()
  ask('client_credentials', 'service')
  ask('login', 'login')
  time.nowMs = 5
  await turn()
  t.strictSame(begun, ['service', 'login'])
})

test('logins stand back while tokens of clients are turned away, but for one each half second', async (t) => {
  const { time, begun, ask } = openScene()
  for (let count = 0; count <= LINE_MAX; count += 1) ask('client_credentials', 'service')
  ask('login', 'login 1')
  await turn()
  t.equal(begun.length, LINE_MAX, 'one was turned away, all others have begun')
  t.notOk(begun.includes('login 1'))
  for (let count = 0; count < LINE_MAX; count += 1) ask('client_credentials', 'service')
  time.nowMs = 500
  await turn()
  t.ok(begun.indexOf('login 1') <= LINE_MAX + 1, 'before nearly all others that wait')
  ask('login', 'login 2')
  await turn()
  t.notOk(begun.includes('login 2'))
  time.nowMs = 1_000
  await turn()
  t.ok(begun.includes('login 2'))
  time.nowMs = 2_000
  ask('login', 'login 3')
  ask('login', 'login 4')
  await turn()
  t.ok(begun.includes('login 4'), 'nobody was turned away for two seconds')
})
