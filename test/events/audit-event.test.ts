// Events as values: their ids, and when two reports are one.

import { test } from 'tap'
import {
  COUNTED_TYPES,
  mergeEvents,
  openEventMaker,
  toEventJson,
} from '../../src/events/audit-event.ts'
import type { SecurityEvent } from '../../src/runtime/security-event.ts'

const AT_MS = Date.UTC(2026, 5, 1, 12, 0, 30)
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const failed = (ip: string): SecurityEvent => ({ type: 'login.failed', ip })

test('ids of one instance rise, within a millisecond too (RFC 9562 §5.7)', async (t) => {
  const make = openEventMaker()
  const times = [...Array<number>(4096).fill(AT_MS), AT_MS + 1, AT_MS + 1]
  const ids = times.map((atMs) => make({ type: 'login.succeeded' }, atMs).id)
  t.strictSame(ids, ids.toSorted())
  t.equal(new Set(ids).size, ids.length)
  for (const id of ids) if (!UUID.test(id)) t.fail(id)
  t.equal(Number.parseInt((ids[0] ?? '').replace('-', '').slice(0, 12), 16), AT_MS)
})

for (const type of COUNTED_TYPES) {
  test(`a ${type} is the same event within its minute and source, on all instances`, async (t) => {
    const idOf = (event: SecurityEvent, atMs: number) => openEventMaker()(event, atMs).id
    const from = (ip: string): SecurityEvent => ({ type, ip })
    const one = idOf(from('192.0.2.1'), AT_MS)
    t.match(one, UUID)
    t.equal(idOf({ ...from('192.0.2.1'), userAgent: 'x' }, AT_MS + 29_999), one)
    t.not(idOf(from('192.0.2.1'), AT_MS + 30_000), one)
    t.not(idOf(from('192.0.2.2'), AT_MS), one)
    t.equal(idOf(from('2001:db8::1'), AT_MS), idOf(from('2001:db8::2'), AT_MS))
    const others = COUNTED_TYPES.map((other) => idOf({ type: other, ip: '192.0.2.1' }, AT_MS))
    t.equal(new Set(others).size, COUNTED_TYPES.length, 'each kind by itself')
  })
}

test('what a caller can repeat at will is counted', async (t) => {
  t.strictSame(COUNTED_TYPES, [
    'login.failed',
    'client.authentication_failed',
    'client.cookie_too_large',
    'client.token_used_elsewhere',
    'refresh.retried',
    'refresh.retried_elsewhere',
    'token.exchanged',
  ])
})

test('each step of a key is one event, whoever sees it', async (t) => {
  const idOf = (type: SecurityEvent['type'], kid: string, atMs: number) =>
    openEventMaker()({ type, detail: { kid } }, atMs).id
  const one = idOf('key.activated', 'a', AT_MS)
  t.equal(idOf('key.activated', 'a', AT_MS + 5_000), one)
  t.not(idOf('key.activated', 'b', AT_MS), one)
  t.not(idOf('key.retired', 'a', AT_MS), one)
})

test('merging counts, and keeps what the failures have in common', async (t) => {
  const make = openEventMaker()
  const about = { ...failed('192.0.2.1'), clientId: 'web', userAgent: 'a' }
  const one = make({ ...about, reason: 'login_user_unknown' }, AT_MS)
  const two = make({ ...about, reason: 'login_password_wrong' }, AT_MS + 1_000)
  const merged = mergeEvents(mergeEvents(one, two), make(about, AT_MS + 2_000))
  t.strictSame(toEventJson(merged), {
    id: one.id,
    at: '2026-06-01T12:00:30.000Z',
    type: 'login.failed',
    ip: '192.0.2.1',
    clientId: 'web',
    userAgent: 'a',
    detail: {
      count: 3,
      firstAt: '2026-06-01T12:00:30.000Z',
      lastAt: '2026-06-01T12:00:32.000Z',
    },
  })
  const other = mergeEvents(merged, make({ ...failed('192.0.2.1'), clientId: 'app' }, AT_MS))
  t.notOk('clientId' in other || 'userAgent' in other)
})

test('retries of one session keep it, those of several name none', async (t) => {
  const make = openEventMaker()
  const retried = (subject: string, sessionId: string) =>
    make({ type: 'refresh.retried', ip: '192.0.2.1', clientId: 'web', subject, sessionId }, AT_MS)
  const one = mergeEvents(retried('ann', 's1'), retried('ann', 's1'))
  t.match(one, { subject: 'ann', sessionId: 's1', clientId: 'web', detail: { count: 2 } })
  const two = mergeEvents(one, retried('ann', 's2'))
  t.match(two, { subject: 'ann', clientId: 'web', detail: { count: 3 } })
  t.notOk('sessionId' in two)
  t.notOk('subject' in mergeEvents(two, retried('bob', 's3')))
})
