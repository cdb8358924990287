import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { test } from 'tap'
import { decryptPrivateKey } from '../../src/keys/private-key-encryption.ts'
import { SIGNING_ALGS, type SigningAlg } from '../../src/keys/signing-algorithms.ts'
import { ISSUER, type KeyInstance, openKeyInstances, statesOf } from '../scenes/key-instances.ts'
import { userClaimsAt } from '../scenes/token-input.ts'
import { rootSecretsOf } from '../support/root-secrets.ts'

/** Verifies as a resource server with jose does. */
function verifyAsClient(keys: KeyInstance, token: string, nowMs: number, alg: SigningAlg) {
  const jwks: JSONWebKeySet = JSON.parse(keys.jwks().body)
  return jwtVerify(token, createLocalJWKSet(jwks), {
    issuer: ISSUER,
    audience: 'https://orders.example',
    typ: 'at+jwt',
    algorithms: [alg],
    currentDate: new Date(nowMs),
  })
}

const SIZE_BOUNDS: Record<SigningAlg, number> = {
  ES256: 700,
  EdDSA: 700,
  RS256: 950,
  PS256: 950,
  Ed25519: 700,
}
const MEMBERS: Record<SigningAlg, readonly string[]> = {
  ES256: ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
  EdDSA: ['alg', 'crv', 'kid', 'kty', 'use', 'x'],
  RS256: ['alg', 'e', 'kid', 'kty', 'n', 'use'],
  PS256: ['alg', 'e', 'kid', 'kty', 'n', 'use'],
  Ed25519: ['alg', 'crv', 'kid', 'kty', 'use', 'x'],
}

for (const alg of SIGNING_ALGS) {
  test(`${alg}: the first start signs at once, and jose verifies (C62, C63, C70, C72, C73)`, async (t) => {
    const { clock, open } = await openKeyInstances(t)
    const keys = await open({ signingAlgs: [alg] })
    const [key] = keys.list()
    t.match(key, { alg, state: 'active', retireAt: null, activeFrom: new Date(clock()).toJSON() })

    const claims = userClaimsAt(clock())
    const token = keys.sign(claims)
    const { payload } = await verifyAsClient(keys, token, clock(), alg)
    t.strictSame(payload, JSON.parse(JSON.stringify(claims)))
    t.strictSame(keys.verify(token), claims)
    t.strictSame(decodeProtectedHeader(token), { alg, kid: key?.kid, typ: 'at+jwt' })
    t.ok(token.length <= SIZE_BOUNDS[alg], `${token.length} bytes`)

    const [jwk, ...more] = JSON.parse(keys.jwks().body).keys
    t.strictSame(Object.keys(jwk).sort(), MEMBERS[alg])
    t.match(jwk, { alg, kid: key?.kid, use: 'sig' })
    t.equal(more.length, 0)
    t.strictSame(keys.events, [`key.published ${key?.kid}`, `key.activated ${key?.kid}`])
  })
}

test('instances that start at once make one key', async (t) => {
  const { database, open } = await openKeyInstances(t)
  const instances = await Promise.all([open(), open(), open()])
  t.equal(await (await database.prisma()).signingKey.count(), 1)
  const bodies = instances.map((keys) => keys.jwks().body)
  t.equal(new Set(bodies).size, 1)
  t.equal(instances.flatMap(({ events }) => events).length, 2, 'one of them published')
})

test('JWKS and its ETag change with the keys and with nothing else (C74)', async (t) => {
  const { clock, open } = await openKeyInstances(t)
  const keys = await open({ jwksMaxAgeSeconds: 120 })
  const first = keys.jwks()
  t.match(first.etag, /^"[A-Za-z0-9_-]+"$/, 'strong')
  t.equal(first.maxAgeSeconds, 120)
  clock.step(3600)
  await keys.tick()
  await keys.reload()
  t.strictSame(keys.jwks(), first)
  t.strictSame((await open()).jwks().etag, first.etag, 'the same on every instance')

  await keys.rotate({ compromised: false })
  const both = keys.jwks()
  t.not(both.etag, first.etag)
  clock.step(200)
  t.strictSame(keys.jwks(), both, 'activation changes no byte')
  clock.step(24 * 3600)
  t.equal(JSON.parse(keys.jwks().body).keys.length, 1)
  t.notOk([first.etag, both.etag].includes(keys.jwks().etag))
})

test('rotation by hand publishes one successor, and tells it again while it waits', async (t) => {
  const { clock, open } = await openKeyInstances(t)
  const [one, two] = [await open(), await open()]
  const { key, created } = await one.rotate({ compromised: false })
  t.ok(created)
  t.match(key, { state: 'next', retireAt: null, publishedAt: new Date(clock()).toJSON() })
  t.equal(Date.parse(key.activeFrom), clock() + 360_000)
  t.strictSame(await one.rotate({ compromised: false }), { key, created: false })
  t.strictSame(await two.rotate({ compromised: false }), { key, created: false }, 'unseen yet')
  t.strictSame(two.list(), one.list())
})

test('instances that rotate at once make one successor', async (t) => {
  const { database, open } = await openKeyInstances(t)
  const instances = [await open(), await open()]
  const results = await Promise.all(
    [...instances, ...instances].map((keys) => keys.rotate({ compromised: false })),
  )
  t.equal(results.filter(({ created }) => created).length, 1)
  t.equal(new Set(results.map(({ key }) => key.kid)).size, 1)
  t.equal(await (await database.prisma()).signingKey.count(), 2)
})

test('compromised: one fresh key signs at once and every other is gone', async (t) => {
  const { clock, database, open } = await openKeyInstances(t)
  const [keys, other] = [await open(), await open()]
  await keys.rotate({ compromised: false })
  clock.step(360)
  await keys.rotate({ compromised: false })
  t.strictSame(statesOf(keys), ['retiring', 'active', 'next'])
  const before = keys.list().map(({ kid }) => kid)
  const token = keys.sign(userClaimsAt(clock()))
  keys.events.length = 0

  const { key, created } = await keys.rotate({ compromised: true })
  t.ok(created)
  t.match(key, { state: 'active', activeFrom: new Date(clock()).toJSON() })
  t.strictSame(keys.list(), [key])
  t.equal(await (await database.prisma()).signingKey.count(), 1)
  t.equal(keys.verify(token), undefined, 'a token of the old key is refused')
  t.equal(decodeProtectedHeader(keys.sign(userClaimsAt(clock()))).kid, key.kid)
  t.strictSame(keys.events, [
    ...before.map((kid) => `key.compromised ${kid}`),
    `key.published ${key.kid}`,
    `key.activated ${key.kid}`,
  ])

  await other.reload()
  t.strictSame(other.list(), [key])
  t.equal(other.verify(token), undefined)
})

test('the table shows no private part', async (t) => {
  const { database, open } = await openKeyInstances(t)
  await open({ signingAlgs: ['EdDSA'] })
  const row = await (await database.prisma()).signingKey.findFirstOrThrow()
  const pkcs8 = decryptPrivateKey(row, row.kid, rootSecretsOf(1))
  const seed = pkcs8.subarray(-32)
  const { rows } = await database.pool.query<{ dump: string }>(
    'SELECT signing_keys::text AS dump FROM signing_keys',
  )
  const dump = rows[0]?.dump ?? ''
  t.ok(dump.includes(row.kid))
  for (const encoding of ['hex', 'base64', 'base64url'] as const) {
    t.notOk(dump.includes(seed.toString(encoding)), encoding)
  }
  t.notOk('d' in Object(row.publicJwk))
})

test('a public key that somebody wrote into the table is not published', async (t) => {
  const { database, open } = await openKeyInstances(t)
  const before = (await open()).jwks()
  await (await database.prisma()).signingKey.updateMany({
    data: { publicJwk: { kty: 'EC', x: 'evil' } },
  })
  t.strictSame((await open()).jwks(), before)
})
