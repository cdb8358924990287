// Keys of several algorithms in one database: as instances come to it with this and that
// configuration, and from the release that knew one algorithm at a time.

import { readFile } from 'node:fs/promises'
import { decodeProtectedHeader } from 'jose'
import { test } from 'tap'
import { LEFT_AFTER_MS } from '../../src/keys/key-plan.ts'
import { type KeyInstance, openKeyInstances } from '../scenes/key-instances.ts'
import { userClaimsAt } from '../scenes/token-input.ts'

const DAY = 86_400
const SAFE = 360
const LEFT = LEFT_AFTER_MS / 1000
const linesOf = (keys: KeyInstance) =>
  keys
    .list()
    .map(({ alg, state }) => `${alg} ${state}`)
    .sort()
const signs = (keys: KeyInstance, nowMs: number, alg: string | null) =>
  decodeProtectedHeader(keys.sign(userClaimsAt(nowMs), alg)).alg

test('the very first start makes a key of each, and all of them sign at once', async (t) => {
  const { clock, database, open } = await openKeyInstances(t)
  const [keys] = await Promise.all([
    open({ signingAlgs: ['ES256', 'RS256', 'EdDSA'] }),
    open({ signingAlgs: ['ES256', 'RS256', 'EdDSA'] }),
  ])
  t.strictSame(linesOf(keys), ['ES256 active', 'EdDSA active', 'RS256 active'])
  for (const alg of ['ES256', 'RS256', 'EdDSA']) t.equal(signs(keys, clock(), alg), alg)
  t.equal(signs(keys, clock(), null), 'ES256', 'the first is the default')
  t.equal(signs(keys, clock(), 'PS256'), 'ES256', 'and stands in for what there is none of')
  t.equal(await (await database.prisma()).signingKey.count(), 3)
})

test('another algorithm is published first; the default signs for it until then', async (t) => {
  const { clock, open } = await openKeyInstances(t)
  const old = await open()
  clock.step(60)
  const keys = await open({ signingAlgs: ['ES256', 'RS256'] })
  t.strictSame(linesOf(keys), ['ES256 active', 'RS256 next'])
  t.equal(signs(keys, clock(), 'RS256'), 'ES256')
  clock.step(SAFE)
  await keys.tick()
  t.equal(signs(keys, clock(), 'RS256'), 'RS256')
  t.equal(signs(keys, clock(), null), 'ES256', 'nothing else changes')
  await old.reload()
  t.equal(signs(old, clock(), 'RS256'), 'RS256', 'instances from before sign with it, too')
  const claims = userClaimsAt(clock())
  t.strictSame(old.verify(keys.sign(claims, 'RS256')), claims)
  const rsa = keys.list().find(({ alg }) => alg === 'RS256')?.kid
  t.strictSame(keys.events, [`key.published ${rsa}`, `key.activated ${rsa}`])
})

test('each algorithm rotates by the age of its own key', async (t) => {
  const { clock, open } = await openKeyInstances(t)
  await open()
  clock.step(10 * DAY)
  const keys = await open({ signingAlgs: ['ES256', 'EdDSA'] })
  clock.step(20 * DAY)
  await keys.tick()
  t.strictSame(linesOf(keys), ['ES256 active', 'ES256 next', 'EdDSA active'])
  clock.step(10 * DAY)
  await keys.tick()
  t.strictSame(linesOf(keys), ['ES256 active', 'EdDSA active'], 'the first ES256 key is over')
  clock.step(SAFE)
  await keys.tick()
  t.strictSame(linesOf(keys), ['ES256 active', 'EdDSA active', 'EdDSA next'])
})

test('rotation by hand: of all, of one, and what waits is told again', async (t) => {
  const { clock, open } = await openKeyInstances(t)
  const keys = await open({ signingAlgs: ['ES256', 'RS256'] })
  const one = await keys.rotate({ compromised: false, alg: 'RS256' })
  t.match(one, { created: true, key: { alg: 'RS256', state: 'next' } })
  t.strictSame(linesOf(keys), ['ES256 active', 'RS256 active', 'RS256 next'])
  t.strictSame(await keys.rotate({ compromised: false, alg: 'RS256' }), { ...one, created: false })
  const all = await keys.rotate({ compromised: false })
  t.match(all, { created: true, key: { alg: 'ES256', state: 'next' } }, 'the default is shown')
  t.equal(keys.list().length, 4, 'the one that waits is enough')
  clock.step(SAFE)
  t.strictSame(linesOf(keys), ['ES256 active', 'ES256 retiring', 'RS256 active', 'RS256 retiring'])
})

test('compromised: fresh keys of every algorithm, also of one that only others have', async (t) => {
  const { clock, open } = await openKeyInstances(t)
  const both = await open({ signingAlgs: ['ES256', 'RS256'] })
  const keys = await open()
  const before = keys.list().map(({ kid }) => kid)
  const tokens = ['ES256', 'RS256'].map((alg) => keys.sign(userClaimsAt(clock()), alg))
  const { key, created } = await keys.rotate({ compromised: true })
  t.ok(created)
  t.match(key, { alg: 'ES256', state: 'active' })
  t.strictSame(linesOf(keys), ['ES256 active', 'RS256 active'])
  t.notOk(keys.list().some(({ kid }) => before.includes(kid)))
  for (const token of tokens) t.equal(keys.verify(token), undefined)
  await both.reload()
  t.strictSame(both.list(), keys.list())
  t.equal(signs(both, clock(), 'RS256'), 'RS256')
  t.strictSame(keys.events.filter((event) => event.startsWith('key.compromised')).length, 2)
})

test('an algorithm goes on while one instance has it, whatever is started beside', async (t) => {
  const { clock, open } = await openKeyInstances(t)
  const both = await open({ signingAlgs: ['ES256', 'RS256'] })
  const instances = [both, await open(), await open({ signingAlgs: ['EdDSA'] })]
  for (let minute = 0; minute < 60; minute += 1) {
    clock.step(60)
    for (const keys of instances) await keys.reload().then(keys.tick)
  }
  await open()
  t.strictSame(linesOf(both), ['ES256 active', 'EdDSA active', 'RS256 active'])
  t.equal(both.events.length, 5, 'two keys of its own and the start of another')
})

test('one that no instance has any more ends, and leaves with its last token', async (t) => {
  const { clock, database, open } = await openKeyInstances(t)
  await open({ signingAlgs: ['ES256', 'RS256'] })
  clock.step(10)
  const keys = await open()
  clock.step(LEFT - 11)
  await keys.tick()
  t.equal(
    (await (await database.prisma()).signingKey.findMany({ where: { signsUntil: null } })).length,
    2,
  )
  clock.step(1)
  await keys.tick()
  clock.step(SAFE - 1)
  const token = keys.sign(userClaimsAt(clock()), 'RS256')
  t.equal(decodeProtectedHeader(token).alg, 'RS256', 'to the end')
  clock.step(1)
  await keys.tick()
  t.strictSame(linesOf(keys), ['ES256 active', 'RS256 retiring'])
  t.equal(signs(keys, clock(), 'RS256'), 'ES256')
  clock.step(598)
  t.ok(keys.verify(token), 'as long as it lives')
  clock.step(62)
  await keys.tick()
  t.strictSame(linesOf(keys), ['ES256 active'])
  t.equal(await (await database.prisma()).signingKey.count(), 1)
  t.match(keys.events.at(-1), 'key.retired')
})

test('an instance that comes back with it takes it up again', async (t) => {
  const { clock, open } = await openKeyInstances(t)
  const [, rsa] = (await open({ signingAlgs: ['ES256', 'RS256'] }))
    .list()
    .toSorted((one, other) => (one.alg < other.alg ? -1 : 1))
  clock.step(LEFT)
  const keys = await open()
  clock.step(SAFE)
  t.equal(signs(keys, clock(), 'RS256'), 'ES256', 'given up')
  const again = await open({ signingAlgs: ['ES256', 'RS256'] })
  t.strictSame(linesOf(again), ['ES256 active', 'RS256 active'])
  t.equal(decodeProtectedHeader(again.sign(userClaimsAt(clock()), 'RS256')).kid, rsa?.kid)
  await keys.reload()
  await keys.tick()
  t.equal(signs(keys, clock(), 'RS256'), 'RS256', 'on every instance')
})

test('a single algorithm is changed: each instance goes on with its own until it ends', async (t) => {
  const { clock, open } = await openKeyInstances(t)
  const old = await open()
  clock.step(60)
  const keys = await open({ signingAlgs: ['EdDSA'] })
  t.strictSame(linesOf(keys), ['ES256 active', 'EdDSA next'])
  t.equal(signs(keys, clock(), null), 'ES256')
  clock.step(SAFE)
  for (const instance of [old, keys]) await instance.reload()
  for (const instance of [old, keys]) await instance.tick()
  t.equal(signs(keys, clock(), null), 'EdDSA')
  t.equal(signs(old, clock(), null), 'ES256')
  clock.step(LEFT)
  await keys.tick()
  clock.step(SAFE + 660)
  await keys.tick()
  t.strictSame(linesOf(keys), ['EdDSA active'])
})

/** The SQL by which the release before decides: which key signs, and which are deleted. */
const RELEASE_BEFORE = `SELECT kid, alg FROM signing_keys WHERE active_from <= $1
  ORDER BY active_from, kid`

test('for an instance of the release before, the keys of other algorithms wait for ever', async (t) => {
  const { clock, database, open } = await openKeyInstances(t)
  const keys = await open({ signingAlgs: ['ES256', 'RS256', 'EdDSA'] })
  const seen = async () => {
    const at = [new Date(clock())]
    return (await database.pool.query<{ alg: string }>(RELEASE_BEFORE, at)).rows.map(
      ({ alg }) => alg,
    )
  }
  t.strictSame(await seen(), ['ES256'])
  await keys.rotate({ compromised: false })
  clock.step(SAFE)
  t.strictSame(await seen(), ['ES256', 'ES256'], 'it follows those of its own')
  clock.step(DAY)
  await keys.tick()
  t.strictSame(await seen(), ['ES256'])
})

test('from one algorithm to the next of the release before: what has ended stays ended', async (t) => {
  const { clock, database, open } = await openKeyInstances(t)
  const old = await open({ signingAlgs: ['EdDSA'] })
  await old.rotate({ compromised: false })
  await open({ signingAlgs: ['ES256'] })
  // As the release before left them: one line of succession, and the migration on top of it.
  await database.pool.query(`UPDATE signing_keys SET signs_until = NULL, wanted_at = now(),
    active_from = COALESCE(signs_from, active_from), signs_from = NULL`)
  clock.step(SAFE)
  await database.pool.query(`UPDATE signing_keys SET active_from = active_from + interval '1 s'
    WHERE alg = 'ES256'`)
  await database.pool.query(await readMigrationUpdate())
  clock.step(1)
  const keys = await open({ signingAlgs: ['ES256'] })
  t.strictSame(linesOf(keys), ['ES256 active', 'EdDSA retiring', 'EdDSA retiring'].sort())
  clock.step(660)
  await keys.tick()
  t.strictSame(linesOf(keys), ['ES256 active'])
})

/** The part that looks at the rows there are. */
async function readMigrationUpdate(): Promise<string> {
  const path = '../../prisma/migrations/20261130056000_signing_lines/migration.sql'
  const text = await readFile(new URL(path, import.meta.url), 'utf8')
  return text.slice(text.indexOf('UPDATE'))
}
