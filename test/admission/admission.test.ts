// Who begins, in which order, and who is turned away.

import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'tap'
import { type Admission, openAdmission } from '../../src/admission/admission.ts'
import type { LoadClass } from '../../src/admission/load-class.ts'
import { REFRESHES_MAX } from '../../src/admission/refresh-slots.ts'
import { BURST_WAIT_MS, LINE_MAX } from '../../src/admission/waiting-line.ts'
import { OAuthError } from '../../src/oauth/oauth-error.ts'
import { until } from '../support/until.ts'

const stays = () => false

function openScene() {
  const time = { nowMs: 0 }
  const shed: LoadClass[] = []
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const admission = openAdmission({
    clock: () => time.nowMs,
    worked: () => 0,
    onShed: (loadClass) => void shed.push(loadClass),
  })
  /** Work that ends when the test says so. */
  const ask = (loadClass: LoadClass, name: string, hasLeft = stays) =>
    admission.run(loadClass, {
      begin: () => {
        begun.push(name)
        return new Promise<string>((resolve) => ends.set(name, () => resolve(name)))
      },
      hasLeft,
    })
  return { time, shed, begun, ends, ask, admission }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

async function refusalOf(promise: Promise<unknown>): Promise<OAuthError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof OAuthError) return error
  }
  throw new Error('it was not refused')
}

test('a refresh begins at once, the others at the end of the turn, services first', async (t) => {
  const { ask, begun, ends } = openScene()
  const asked = [
    ask('login', 'login'),
    ask('client_credentials', 'service 1'),
    ask('client_credentials', 'service 2'),
    ask('refresh', 'refresh'),
  ]
  t.strictSame(begun, ['refresh'])
  await turn()
  t.strictSame(begun, ['refresh', 'service 1'], 'one alone while a refresh is under way')
  await turn()
  t.strictSame(begun.slice(2), ['service 2'])
  ends.get('refresh')?.()
  await until('all', () => begun.length === 4)
  t.strictSame(begun.slice(3), ['login'])
  for (const end of ends.values()) end()
  t.strictSame(await Promise.all(asked), ['login', 'service 1', 'service 2', 'refresh'])
})

test('without refreshes many begin in one turn', async (t) => {
  const { ask, begun } = openScene()
  for (let count = 0; count < 20; count += 1) void ask('client_credentials', `${count}`)
  await turn()
  t.equal(begun.length, 20, 'the clock of the test stands still')
})

test('what was begun comes to where it waits before the next one begins', async (t) => {
  const order: string[] = []
  const admission = openAdmission()
  const work = (name: string) => ({
    begin: async () => {
      for (let step = 0; step < 5; step += 1) await undefined
      order.push(name)
    },
    hasLeft: stays,
  })
  const begin = (name: string) => ({
    begin: async () => {
      order.push(`begin ${name}`)
      await work(name).begin()
    },
    hasLeft: stays,
  })
  await Promise.all(['a', 'b'].map((name) => admission.run('client_credentials', begin(name))))
  t.strictSame(order, ['begin a', 'a', 'begin b', 'b'])
})

test('so many refreshes are under way, and each that ends makes room for one', async (t) => {
  const { ask, begun, ends } = openScene()
  const asked = Array.from({ length: REFRESHES_MAX + 2 }, (_, index) => ask('refresh', `${index}`))
  t.equal(begun.length, REFRESHES_MAX)
  ends.get('5')?.()
  t.equal(await asked[5], '5')
  t.strictSame(begun.slice(REFRESHES_MAX), [`${REFRESHES_MAX}`])
  ends.get('6')?.()
  await asked[6]
  t.equal(begun.length, REFRESHES_MAX + 2)
})

test('a refresh that waits for somebody else makes room, and goes on though all places are taken', async (t) => {
  const { ask, begun, ends, admission } = openScene()
  let answer = (_text: string) => {}
  const outside = new Promise<string>((resolve) => {
    answer = resolve
  })
  const aside = admission.run('refresh', {
    begin: () => admission.stepAside(outside),
    hasLeft: stays,
  })
  const all = Array.from({ length: REFRESHES_MAX + 2 }, (_, index) => ask('refresh', `${index}`))
  t.equal(begun.length, REFRESHES_MAX, 'it takes no place')
  answer('from elsewhere')
  t.equal(await aside, 'from elsewhere')
  t.equal(begun.length, REFRESHES_MAX, 'and its end makes room for nobody: it had none')
  ends.get('0')?.()
  await all[0]
  t.equal(begun.length, REFRESHES_MAX + 1)
  ends.get('1')?.()
  await all[1]
  t.equal(begun.length, REFRESHES_MAX + 2)
})

test('whoever steps aside lets the next begin at once', async (t) => {
  const { ask, begun, ends, admission } = openScene()
  let goAside = () => {}
  const ready = new Promise<void>((resolve) => {
    goAside = resolve
  })
  const never = new Promise<void>(() => {})
  const begin = async () => {
    await ready
    await admission.stepAside(never)
  }
  for (let index = 0; index < REFRESHES_MAX; index += 1) {
    void admission.run('refresh', { begin, hasLeft: stays })
  }
  const honest = ask('refresh', 'honest')
  void ask('client_credentials', 'service 1')
  void ask('client_credentials', 'service 2')
  t.strictSame(begun, [])
  goAside()
  await until('the one that waited', () => begun.includes('honest'))
  ends.get('honest')?.()
  t.equal(await honest, 'honest')
  await until('the others', () => begun.length === 3)
})

test('a refresh that waits too long is turned away, though nothing else happens', async (t) => {
  const { ask, shed, time } = openScene()
  for (let index = 0; index < REFRESHES_MAX; index += 1) void ask('refresh', `${index}`)
  const late = refusalOf(ask('refresh', 'late'))
  time.nowMs = BURST_WAIT_MS + 1
  const { code, reason, status, retryAfterSeconds } = await late
  t.strictSame([code, reason, status], ['temporarily_unavailable', 'overloaded', 503])
  t.ok(Number(retryAfterSeconds) >= 1)
  t.strictSame(shed, ['refresh'])
})

test('a login waits behind services, and is the first to be turned away', async (t) => {
  const { ask, shed, begun, time } = openScene()
  const refresh = ask('refresh', 'refresh')
  const login = refusalOf(ask('login', 'login'))
  void ask('client_credentials', 'service 1')
  void ask('client_credentials', 'service 2')
  await turn()
  await turn()
  t.strictSame(begun, ['refresh', 'service 1', 'service 2'])
  time.nowMs = BURST_WAIT_MS + 1
  await turn()
  t.strictSame(shed, ['login'])
  t.equal((await login).reason, 'overloaded')
  void refresh
})

test('who hangs up while he waits is never begun', async (t) => {
  const { ask, begun, ends, shed } = openScene()
  for (let index = 0; index < REFRESHES_MAX; index += 1) void ask('refresh', `${index}`)
  let hasLeft = false
  void ask('refresh', 'gone', () => hasLeft)
  const stayed = ask('refresh', 'stayed')
  void ask('login', 'gone too', () => true)
  hasLeft = true
  ends.get('0')?.()
  await until('the next', () => begun.includes('stayed'))
  ends.get('stayed')?.()
  t.equal(await stayed, 'stayed')
  await turn()
  t.notOk(begun.includes('gone') || begun.includes('gone too'))
  t.strictSame(shed, [])
})

test('nobody is begun who has waited too long, though it was not seen yet', async (t) => {
  const { ask, begun, ends, shed, time } = openScene()
  for (let index = 0; index < REFRESHES_MAX; index += 1) void ask('refresh', `${index}`)
  const late = refusalOf(ask('refresh', 'late'))
  // A process that stood still reads the answer of the store first, then that the caller has left.
  time.nowMs = BURST_WAIT_MS + 1
  ends.get('0')?.()
  await until('the end of the line', () => shed.length === 1)
  t.notOk(begun.includes('late'))
  t.equal((await late).reason, 'overloaded')
})

test('work belongs to the request that asked for it, whoever has made room', async (t) => {
  const request = new AsyncLocalStorage<string>()
  const admission = openAdmission()
  const work = {
    begin: async () => {
      await turn()
      return request.getStore()
    },
    hasLeft: stays,
  }
  const names = Array.from({ length: REFRESHES_MAX + 2 }, (_, index) => `refresh ${index}`)
  const services = ['service 1', 'service 2']
  const asked = [
    ...names.map((name) => request.run(name, () => admission.run('refresh', work))),
    ...services.map((name) => request.run(name, () => admission.run('client_credentials', work))),
  ]
  t.strictSame(await Promise.all(asked), [...names, ...services])
})

test('a line has an end, beyond which everybody is turned away', async (t) => {
  const { ask, shed } = openScene()
  void ask('refresh', 'refresh')
  for (let count = 0; count < LINE_MAX; count += 1) void ask('login', `${count}`)
  t.strictSame(shed, [])
  const refused = refusalOf(ask('login', 'one more'))
  t.strictSame(shed, ['login'])
  t.equal((await refused).reason, 'overloaded')
})

test('a failure of the work is the failure of who asked, and frees its place', async (t) => {
  const admission: Admission = openAdmission()
  const failing = { begin: () => Promise.reject(new Error('broken')), hasLeft: stays }
  await t.rejects(admission.run('refresh', failing), { message: 'broken' })
  await t.rejects(admission.run('login', failing), { message: 'broken' })
  const all = Array.from({ length: REFRESHES_MAX + 1 }, () =>
    admission.run('refresh', failing).catch((error: Error) => error.message),
  )
  t.ok((await Promise.all(all)).every((message) => message === 'broken'))
})
