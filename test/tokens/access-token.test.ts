import { test } from 'tap'
import { buildClientClaims, buildUserClaims } from '../../src/tokens/access-token.ts'
import { ISSUER } from '../scenes/key-instances.ts'
import {
  CREATED_AT_MS,
  client,
  family,
  ROTATED_AT_MS,
  user,
  userTokenInput,
} from '../scenes/token-input.ts'
import { rootSecretsOf } from '../support/root-secrets.ts'

const seconds = (ms: number) => Math.floor(ms / 1000)

test('a user token says everything that RFC 9068 §2.2 asks for, and no more (C64, C72)', async (t) => {
  const { jti, ...claims } = buildUserClaims(userTokenInput())
  t.strictSame(claims, {
    iss: ISSUER,
    sub: user.userId,
    aud: 'https://orders.example',
    scope: 'orders:read orders:write',
    exp: seconds(ROTATED_AT_MS) + 600,
    iat: seconds(ROTATED_AT_MS),
    client_id: client.id,
    cnf: undefined,
    act: undefined,
    may_act: undefined,
    exchanged_from: undefined,
    sid: family.familyId,
    auth_time: seconds(CREATED_AT_MS),
    amr: ['pwd', 'otp'],
    roles: ['support'],
  })
  t.match(jti, /^[A-Za-z0-9_-]{22}$/, '128 bits')
})

test('several audiences are an array in their order, one is a string (C66)', async (t) => {
  t.strictSame(buildUserClaims(userTokenInput({ audience: family.audience })).aud, family.audience)
  t.throws(() => buildUserClaims(userTokenInput({ audience: [] })), RangeError)
})

test('no scope is no claim (C65)', async (t) => {
  t.notMatch(JSON.stringify(buildUserClaims(userTokenInput({ scope: [] }))), 'scope')
})

test('exp never passes the absolute expiry of the family', async (t) => {
  const absoluteExpiresAtMs = ROTATED_AT_MS + 90_700
  const claims = buildUserClaims(userTokenInput({ family: { ...family, absoluteExpiresAtMs } }))
  t.equal(claims.exp, seconds(absoluteExpiresAtMs))
  t.ok(claims.exp * 1000 <= absoluteExpiresAtMs)
})

test('auth_time stays the same over rotations (C68)', async (t) => {
  const later = { ...family, generation: 9, rotatedAtMs: ROTATED_AT_MS + 3_600_000 }
  const claims = buildUserClaims(userTokenInput({ family: later }))
  t.equal(claims.auth_time, seconds(CREATED_AT_MS))
  t.equal(claims.iat, seconds(ROTATED_AT_MS) + 3600)
})

test('the same input gives the same claims, so that a retry is the same token', async (t) => {
  const again = {
    ...structuredClone({ family, user, client }),
    rootSecret: rootSecretsOf(1).current,
  }
  t.strictSame(buildUserClaims(userTokenInput()), buildUserClaims(userTokenInput(again)))
})

test('whatever makes another token gives it another id (RFC 7519 §4.1.7)', async (t) => {
  // All of its tokens have one `exp`.
  const ending = { ...family, absoluteExpiresAtMs: ROTATED_AT_MS + 10_000 }
  const others = [
    {},
    { family: { ...family, generation: 4 } },
    { family: { ...family, familyId: '6b1f6c1e-52a5-4b06-9c7e-0d9ce0b1a112' as never } },
    { scope: ['orders:read'] },
    { scope: ['orders:read orders:write'] },
    { scope: [] },
    { audience: family.audience },
    { user: { ...user, version: 8 } },
    { client: { accessTokenTtlSeconds: 601 } },
    { rootSecret: rootSecretsOf(2).current },
    { issuedAtMs: ROTATED_AT_MS + 1_000 },
    { family: ending },
    { family: ending, issuedAtMs: ROTATED_AT_MS + 1_000 },
    { family: ending, issuedAtMs: ROTATED_AT_MS + 2_000 },
  ]
  const ids = others.map((other) => buildUserClaims(userTokenInput(other)).jti)
  t.equal(new Set(ids).size, others.length)
})

test('a token of the second of the rotation is that of the rotation', async (t) => {
  const issuedAtMs = seconds(ROTATED_AT_MS) * 1000 + 999
  t.strictSame(buildUserClaims(userTokenInput({ issuedAtMs })), buildUserClaims(userTokenInput()))
  const later = buildUserClaims(userTokenInput({ issuedAtMs: ROTATED_AT_MS + 30_000 }))
  t.match(later, { iat: seconds(ROTATED_AT_MS) + 30, exp: seconds(ROTATED_AT_MS) + 630 })
})

test("a client's own token is about the client, and each has an id of its own", async (t) => {
  const input = {
    issuer: ISSUER,
    client,
    scope: ['jobs:run'],
    audience: [ISSUER],
    confirmation: undefined,
    nowMs: ROTATED_AT_MS,
  }
  const { jti, ...claims } = buildClientClaims(input)
  t.strictSame(claims, {
    iss: ISSUER,
    sub: client.id,
    aud: ISSUER,
    scope: 'jobs:run',
    exp: seconds(ROTATED_AT_MS) + 600,
    iat: seconds(ROTATED_AT_MS),
    client_id: client.id,
    cnf: undefined,
    act: undefined,
    may_act: undefined,
    exchanged_from: undefined,
    sid: undefined,
    auth_time: undefined,
    amr: undefined,
    roles: undefined,
  })
  t.match(jti, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, '122 random bits')
  t.not(buildClientClaims(input).jti, jti)
})
