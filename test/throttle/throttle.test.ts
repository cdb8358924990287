// The budgets: what counts, whom it stops and for how long. By the clock of the test.

import { randomBytes } from 'node:crypto'
import { test } from 'tap'
import { OAuthError } from '../../src/oauth/oauth-error.ts'
import type { SecurityEvent } from '../../src/runtime/security-event.ts'
import type { Counters } from '../../src/throttle/counters.ts'
import type { Guess } from '../../src/throttle/guess.ts'
import { openMemoryCounters } from '../../src/throttle/memory-counters.ts'
import { openSourceList } from '../../src/throttle/source-list.ts'
import { openThrottle } from '../../src/throttle/throttle.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const HOME = '192.0.2.1'

const login = (account: string, ip: string): Guess => ({ kind: 'login', account, ip })
/** The nth stranger, none in the network of another. */
const stranger = (n: number) => `198.51.${100 + Math.floor(n / 250)}.${n % 250}`

function openScene(counters: Counters = openMemoryCounters(), exempt: readonly string[] = []) {
  let nowMs = Date.UTC(2030, 0, 1)
  const events: SecurityEvent[] = []
  const throttle = openThrottle({
    counters,
    key: randomBytes(32),
    isExempt: openSourceList(exempt),
    clock: () => nowMs,
    recordEvent: (event) => events.push(event),
  })
  /** What the caller is told of one attempt: `ok`, `wrong`, or for how many seconds it has to wait. */
  async function attempt(guess: Guess, isRight = false, aliases: string[] = []) {
    try {
      await throttle.check(guess)
      if (isRight) await throttle.succeeded(guess, aliases)
      else await throttle.failed(guess)
      return isRight ? 'ok' : 'wrong'
    } catch (error) {
      if (error instanceof OAuthError && error.reason === 'throttled') {
        return error.retryAfterSeconds ?? -1
      }
      throw error
    }
  }
  async function times(n: number, guessOf: (index: number) => Guess) {
    const told: (string | number)[] = []
    for (let index = 0; index < n; index += 1) told.push(await attempt(guessOf(index)))
    return told
  }
  const pass = (ms: number) => {
    nowMs += ms
  }
  return { throttle, events, attempt, times, pass }
}

test('one source at one account: ten failures, then a wait of 15 minutes from the first', async (t) => {
  const { attempt, times, pass } = openScene()
  const guess = login('alice', HOME)
  t.same(await times(4, () => guess), Array(4).fill('wrong'))
  pass(5 * MINUTE)
  t.same(await times(6, () => guess), Array(6).fill('wrong'))
  t.equal(await attempt(guess), 600)
  t.equal(await attempt(guess, true), 600, 'the right password as well')
  t.equal(await attempt(login('bob', HOME), true), 'ok', 'no other account')
  t.equal(await attempt(login('alice', stranger(1)), true), 'ok', 'no other source')
  pass(10 * MINUTE)
  t.equal(await attempt(guess, true), 'ok')
})

test('successes never count', async (t) => {
  const { attempt } = openScene()
  for (let index = 0; index < 300; index += 1) {
    t.equal(await attempt(login(`user${index % 3}`, HOME), true), 'ok')
  }
})

test('one source at many accounts: a hundred failures', async (t) => {
  const { attempt, times } = openScene()
  const told = await times(101, (index) => login(`user${index}`, HOME))
  t.same(told.filter((answer) => answer === 'wrong').length, 100)
  t.equal(told.at(-1), 900)
  t.equal(await attempt(login('user7', HOME), true), 900, 'a right guess is not told either')
  t.equal(await attempt(login('user7', stranger(1)), true), 'ok')
})

test('one account from many sources: fifty failures an hour, and its owner is not locked out', async (t) => {
  const { attempt, times, pass } = openScene()
  t.equal(await attempt(login('alice', HOME), true, ['alice@example.org']), 'ok')
  const told = await times(60, (index) => login('alice', stranger(index)))
  t.same(told.slice(0, 50), Array(50).fill('wrong'))
  t.same(told.slice(50), Array(10).fill(3600))
  t.equal(await attempt(login('alice', HOME)), 'wrong', 'the owner may even mistype')
  t.equal(await attempt(login('alice', HOME), true), 'ok')
  pass(HOUR)
  t.equal(await attempt(login('alice', stranger(99))), 'wrong')
})

test('a source is known by every name of the account, for 30 days after its last success', async (t) => {
  const { attempt, times, pass } = openScene()
  t.equal(await attempt(login('alice', HOME), true, ['alice', 'alice@example.org']), 'ok')
  pass(29 * DAY)
  const flood = () => times(51, (index) => login('alice@example.org', stranger(index)))
  t.equal((await flood()).at(-1), 3600)
  t.equal(await attempt(login('alice@example.org', HOME), true), 'ok')
  pass(29 * DAY)
  await flood()
  t.equal(
    await attempt(login('alice@example.org', HOME), true),
    'ok',
    'the success made it known anew',
  )
  pass(30 * DAY)
  await flood()
  t.equal(await attempt(login('alice@example.org', HOME), true), 3600)
})

test('a neighbour in the same network cannot shut out whom the network knows', async (t) => {
  const { attempt, times } = openScene()
  t.equal(await attempt(login('alice', HOME), true), 'ok')
  t.equal((await times(101, (index) => login(`user${index}`, HOME))).at(-1), 900)
  t.equal(await attempt(login('alice', HOME), true), 'ok')
})

test('an IPv6 network of 64 bits is one source', async (t) => {
  const { attempt, times } = openScene()
  await times(10, (index) => login('alice', `2001:db8::${index}`))
  t.equal(await attempt(login('alice', '2001:db8::ffff:1')), 900)
  t.equal(await attempt(login('alice', '2001:db8:0:1::1')), 'wrong')
})

test('of many attempts at once no more outcomes are told than the budget has', async (t) => {
  const { throttle, attempt } = openScene()
  const guess = login('alice', HOME)
  // All have passed the first check when the first of them fails.
  await Promise.all(Array.from({ length: 40 }, () => throttle.check(guess)))
  const told = await Promise.allSettled(Array.from({ length: 40 }, () => throttle.failed(guess)))
  t.equal(told.filter(({ status }) => status === 'fulfilled').length, 10)
  await t.rejects(
    throttle.succeeded(guess),
    new OAuthError('throttled', { retryAfterSeconds: 900 }),
    'nor that one was right',
  )
  t.equal(await attempt(guess), 900)
})

test('a source that is refused at the end does not become known', async (t) => {
  const { throttle, attempt, times } = openScene()
  await times(99, (index) => login(`user${index}`, HOME))
  await throttle.check(login('alice', HOME))
  await attempt(login('bob', HOME))
  await t.rejects(
    throttle.succeeded(login('alice', HOME)),
    new OAuthError('throttled', { retryAfterSeconds: 900 }),
  )
  t.equal(await attempt(login('alice', HOME), true), 900)
})

test('each kind of guess counts by itself, and each bounds the account', async (t) => {
  for (const kind of [
    'client_secret',
    'current_password',
    'one_time_code',
    'reset_token',
  ] as const) {
    const { attempt, times } = openScene()
    const guess = { kind, account: 'alice', ip: HOME }
    t.same(await times(11, () => guess), [...Array(10).fill('wrong'), 900])
    t.equal(await attempt(login('alice', HOME), true), 'ok', kind)
    const told = await times(50, (index) => ({ ...guess, ip: stranger(index) }))
    t.equal(told.filter((answer) => answer === 'wrong').length, 40, kind)
  }
})

test('whoever is refused takes nothing from the account, though nobody checks before', async (t) => {
  const mail = (account: string, ip: string): Guess => ({ kind: 'mail', account, ip })
  const { throttle, attempt } = openScene()
  const fail = (guess: Guess) => throttle.failed(guess).catch(() => {})
  for (let index = 0; index < 9; index += 1) await fail(mail('alice', stranger(1)))
  for (let index = 0; index < 30; index += 1) await fail(mail(`user${index}`, stranger(2)))
  for (let index = 0; index < 9; index += 1) await fail(mail('alice', stranger(2)))
  t.equal(await attempt(mail('alice', stranger(3))), 'wrong', 'three of the five are used up')
})

test('one source makes no counters without end, whatever accounts it names', async (t) => {
  const memory = openMemoryCounters()
  const made = new Set<string>()
  const { throttle } = openScene({
    ...memory,
    async add(counters, nowMs) {
      for (const { group, name } of counters) made.add(`${group} ${name}`)
      return await memory.add(counters, nowMs)
    },
  })
  for (let index = 0; index < 300; index += 1) {
    const guess = { kind: 'client_secret', account: `made-up-${index}`, ip: HOME } as const
    await throttle.failed(guess).catch(() => {})
  }
  t.equal(made.size, 201, 'the source, and two for each of its hundred failures')
})

test('where somebody has logged in, strangers do not use up the mails that he may ask for', async (t) => {
  const { throttle, attempt } = openScene()
  const mail = (ip: string): Guess => ({ kind: 'mail', account: 'alice@example.org', ip })
  await attempt(login('alice', HOME), true, ['alice', 'alice@example.org'])
  for (let index = 0; index < 9; index += 1) {
    await throttle.failed(mail(stranger(index))).catch(() => {})
  }
  t.equal(await attempt(mail(stranger(99))), HOUR / 1000)
  t.equal(await attempt(mail(HOME)), 'wrong')
})

test('a thief of sessions does not keep the owner from changing the password', async (t) => {
  const { attempt, times } = openScene()
  const change = (ip: string): Guess => ({ kind: 'current_password', account: 'alice', ip })
  t.equal(await attempt(login('alice', HOME), true), 'ok')
  await times(60, (index) => change(stranger(index)))
  t.equal(await attempt(change(stranger(99)), true), HOUR / 1000)
  t.equal(await attempt(change(HOME)), 'wrong')
  t.equal(await attempt(change(HOME), true), 'ok')
})

test('a source is made known by the kind alone that it is known by', async (t) => {
  const { attempt, times } = openScene()
  t.equal(await attempt({ kind: 'current_password', account: 'alice', ip: HOME }, true), 'ok')
  await times(60, (index) => login('alice', stranger(index)))
  t.equal(await attempt(login('alice', HOME), true), HOUR / 1000)
})

test('exempt sources are never counted', async (t) => {
  const { times, attempt } = openScene(openMemoryCounters(), ['192.0.2.0/24', '2001:db8::/32'])
  t.same(await times(60, () => login('alice', HOME)), Array(60).fill('wrong'))
  t.same(await times(60, () => login('alice', '2001:db8:9::1')), Array(60).fill('wrong'))
  t.equal(await attempt(login('alice', stranger(1))), 'wrong', 'they take nothing from others')
})

test('one event for each budget that is used up, and none that names the account', async (t) => {
  const { times, events } = openScene()
  await times(300, (index) => login('alice', stranger(index)))
  t.same(events, [
    { type: 'throttle.exhausted', reason: 'account', ip: stranger(49), detail: { kind: 'login' } },
  ])
})

test('the store is told neither accounts nor sources', async (t) => {
  const memory = openMemoryCounters()
  const asked: string[] = []
  const note = (counters: readonly unknown[]) => void asked.push(JSON.stringify(counters))
  const { attempt } = openScene({
    async read(counters, nowMs) {
      note(counters)
      return await memory.read(counters, nowMs)
    },
    async add(counters, nowMs) {
      note(counters)
      return await memory.add(counters, nowMs)
    },
    async mark(counters, nowMs) {
      note(counters)
      await memory.mark(counters, nowMs)
    },
  })
  await attempt(login('my password', HOME))
  await attempt(login('my password', HOME), true)
  t.ok(asked.length > 3)
  t.notMatch(asked.join(), /my password|192\.0\.2/)
})
