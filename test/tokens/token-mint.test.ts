import { createHmac, createPublicKey } from 'node:crypto'
import { decodeProtectedHeader } from 'jose'
import { test } from 'tap'
import type { SigningKey } from '../../src/keys/key-states.ts'
import { type AccessTokenClaims, buildClientClaims } from '../../src/tokens/access-token.ts'
import { openTokenMint } from '../../src/tokens/token-mint.ts'
import { ISSUER } from '../scenes/key-instances.ts'
import { client, makeKey, ROTATED_AT_MS, userClaimsAt } from '../scenes/token-input.ts'

const nowMs = ROTATED_AT_MS
const claims = userClaimsAt(nowMs)
const key = await makeKey('ES256')
const keys = [key, await makeKey('EdDSA'), await makeKey('RS256'), await makeKey('PS256')]

/** On all of these keys; `active` is the one that signs. */
function mintWith(active: SigningKey, atMs = nowMs, issuer = ISSUER) {
  const find = (kid: string) => keys.find((known) => known.kid === kid)
  const audienceAlgs = new Map()
  return openTokenMint({
    keys: { active: () => active, find },
    issuer,
    audienceAlgs,
    clock: () => atMs,
  })
}

const verify = (token: string, atMs?: number, issuer?: string) =>
  mintWith(key, atMs, issuer).verify(token)

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A token with any header and payload, truly signed by `signer`. */
function forge(header: object, payload: unknown = claims, signer: SigningKey = key): string {
  const signed = `${encode({ alg: 'ES256', kid: key.kid, typ: 'at+jwt', ...header })}.${encode(payload)}`
  return `${signed}.${signer.material.sign(Buffer.from(signed)).toString('base64url')}`
}

test('reads back the claims under every algorithm', async (t) => {
  const target = { scope: [], audience: ['a', 'b'], confirmation: { jkt: 'thumbprint' } }
  const own = buildClientClaims({ issuer: ISSUER, client, ...target, nowMs })
  for (const signer of keys) {
    const mint = mintWith(signer)
    t.strictSame(verify(mint.sign(claims, client)), claims, signer.material.alg)
    t.strictSame(verify(mint.sign(own, client)), own, signer.material.alg)
  }
})

test('a token names the key that signed it, when that changes too', async (t) => {
  let active = key
  const mint = openTokenMint({
    keys: { active: () => active, find: () => undefined },
    issuer: ISSUER,
    audienceAlgs: new Map(),
    clock: () => nowMs,
  })
  for (const signer of [...keys, key]) {
    active = signer
    const { alg, kid } = decodeProtectedHeader(mint.sign(claims, client))
    t.strictSame([alg, kid], [signer.material.alg, signer.kid])
  }
})

test('the forged tokens of this file are good until something is wrong with them', async (t) => {
  t.strictSame(verify(forge({})), claims)
  t.strictSame(verify(forge({ typ: 'application/at+jwt' })), claims)
})

test('key material in the header has no say (C70, RFC 8725 §3.1)', async (t) => {
  const stranger = await makeKey()
  const jwk = stranger.material.publicJwk
  const header = { jwk, jku: 'https://evil.example/jwks', x5u: 'https://evil.example/x5u' }
  t.equal(verify(forge(header, claims, stranger)), undefined)
  t.strictSame(verify(forge(header)), claims)
})

test('refuses every confusion of algorithms (C62, C70)', async (t) => {
  for (const { material } of keys) {
    const publicKey = createPublicKey({ key: material.publicJwk as never, format: 'jwk' })
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    for (const alg of ['HS256', material.alg]) {
      const header = { alg, kid: material.publicJwk.kid, typ: 'at+jwt' }
      const signed = `${encode(header)}.${encode(claims)}`
      for (const secret of [pem, pem.trim(), JSON.stringify(material.publicJwk)]) {
        const mac = createHmac('sha256', secret).update(signed).digest('base64url')
        t.equal(verify(`${signed}.${mac}`), undefined, `${alg} with the public ${material.alg} key`)
      }
    }
  }
  for (const alg of ['none', 'None', '', 'HS256', 'ES384', 'EdDSA', 'es256', null, 1, ['ES256']]) {
    t.equal(verify(forge({ alg })), undefined, JSON.stringify(alg))
  }
  t.equal(
    verify(`${encode({ alg: 'none', kid: key.kid, typ: 'at+jwt' })}.${encode(claims)}.`),
    undefined,
  )
})

test('an RSA key verifies under its own padding only (C70)', async (t) => {
  const [, , rs256, ps256] = keys
  if (!rs256 || !ps256) throw new Error('keys are missing')
  t.equal(verify(forge({ alg: 'PS256', kid: rs256.kid }, claims, rs256)), undefined)
  t.equal(verify(forge({ alg: 'RS256', kid: ps256.kid }, claims, ps256)), undefined)
})

test('refuses another type, kid, key, or an extension it does not know (C70, C71)', async (t) => {
  for (const typ of ['JWT', 'jwt', 'id_token', 'logout+jwt', '', null, undefined]) {
    t.equal(verify(forge({ typ })), undefined, String(typ))
  }
  for (const kid of ['unknown', '', null, undefined, 7, '__proto__', 'constructor']) {
    t.equal(verify(forge({ kid })), undefined, String(kid))
  }
  t.equal(verify(forge({}, claims, await makeKey())), undefined)
  for (const crit of [['b64'], [], ['exp'], null, 'b64']) {
    t.equal(verify(forge({ crit, b64: true })), undefined, JSON.stringify(crit))
  }
})

test('refuses a changed payload and a changed signature', async (t) => {
  const [header, , signature = ''] = forge({}).split('.')
  const raised = { ...claims, roles: ['lineage:admin'] }
  t.equal(verify(`${header}.${encode(raised)}.${signature}`), undefined)
  t.equal(verify(`${header}.${encode(claims)}.${signature.slice(0, -2)}`), undefined)
  t.equal(verify(`${header}.${encode(claims)}.${signature.slice(0, -4)}AAAA`), undefined)
  t.equal(
    verify(`${header}.${encode(claims)}.${encode(Buffer.alloc(64).toString('latin1'))}`),
    undefined,
  )
})

test('refuses every other spelling of a good token', async (t) => {
  const token = forge({})
  const [header = '', payload = '', signature = ''] = token.split('.')
  const last = signature.at(-1) ?? ''
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  // 64 bytes leave four unused bits in the last character.
  const sibling = alphabet[alphabet.indexOf(last) + 1] ?? ''
  const spellings = [
    `${header}.${payload}.${signature.slice(0, -1)}${sibling}`,
    `${token}==`,
    `${token}.`,
    `.${token}`,
    `${token}.${signature}`,
    ` ${token}`,
    `${token}\n`,
    `${header}\n.${payload}.${signature}`,
    `${header}=.${payload}.${signature}`,
    `${header}..${signature}`,
    `${header}.${payload}`,
    header,
    '',
    '..',
  ]
  for (const spelling of spellings) t.equal(verify(spelling), undefined, JSON.stringify(spelling))
  t.strictSame(verify(token), claims)
})

test('refuses what is too long before parsing it (C72)', async (t) => {
  const padded = (length: number) => ({ ...claims, pad: 'x'.repeat(length) })
  t.strictSame(verify(forge({}, padded(5000))), claims)
  t.equal(verify(forge({}, padded(6000))), undefined)
})

test('exp has no leeway, and the issuer is exact (C67)', async (t) => {
  const token = forge({})
  t.strictSame(verify(token, claims.exp * 1000 - 1), claims)
  t.equal(verify(token, claims.exp * 1000), undefined)
  for (const issuer of [`${ISSUER}/`, ISSUER.toUpperCase(), 'https://auth.example:443', '']) {
    t.equal(verify(token, nowMs, issuer), undefined, issuer)
  }
})

test('refuses claims that are missing or of another type', async (t) => {
  const bad: Record<keyof AccessTokenClaims, readonly unknown[]> = {
    iss: [undefined, null, 1, [ISSUER]],
    sub: [undefined, '', 1, null],
    aud: [undefined, '', [], [1], ['a', ''], {}],
    exp: [undefined, null, String(claims.exp), claims.exp + 0.5, Number.MAX_VALUE],
    iat: [undefined, null, '1', 1.5],
    jti: [undefined, '', 1],
    client_id: [undefined, '', 1],
    scope: [null, '', 1, ['a']],
    act: [null, '', {}, { sub: 1 }, { sub: 'a', act: {} }, { sub: 'a', more: 1 }],
    may_act: [null, '', {}, { sub: 1 }, { sub: '' }, { sub: 'a', act: { sub: 'b' } }],
    exchanged_from: badTrails(),
    cnf: [null, '', {}, [], { jkt: '' }, { jkt: 1 }, { jkt: 'a', 'x5u#S256': 'b' }],
    sid: [undefined, null, '', 1],
    auth_time: [undefined, '1', 1.5],
    amr: ['pwd', [1], null],
    roles: [undefined, 'admin', [1], null],
  }
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      t.equal(verify(forge({}, { ...claims, [name]: value })), undefined, `${name}: ${value}`)
    }
  }
})

function badTrails(): unknown[] {
  const from = { jti: 'a', client_id: 'b', iat: 1 }
  const bad = [{}, { ...from, jti: '' }, { ...from, client_id: 1 }, { ...from, iat: '1' }]
  return [
    ...[null, '', {}, [], [null], Array(5).fill(from), [from, { ...from, more: 1 }]],
    ...bad.map((one) => [one]),
  ]
}

test('what an exchange made says whom it passed through (RFC 8693 §4)', async (t) => {
  const from = { jti: 'a', client_id: claims.client_id, iat: claims.iat }
  const exchanged = { ...claims, client_id: 'gateway', exchanged_from: [from, from, from, from] }
  t.strictSame(verify(forge({}, exchanged)), exchanged)
  const { sid, auth_time, amr, roles, ...own } = { ...exchanged, sub: claims.client_id }
  t.match(verify(forge({}, own)), own)
  t.equal(
    verify(forge({}, { ...own, sub: 'gateway' })),
    undefined,
    'the subject is the first client',
  )
})

test("a user's token of a release that knew no factors is one of a login by password", async (t) => {
  const { amr, ...older } = claims
  t.strictSame(verify(forge({}, older)), { ...claims, amr: ['pwd'] })
})

test('never throws, whatever is inside', async (t) => {
  for (const payload of ['', 'x', '"text"', 'null', '7', '[]', '{', '\u0000', '{"iss":']) {
    t.equal(verify(forge({}, payload)), undefined, JSON.stringify(payload))
    t.equal(verify(`${encode(payload)}.${encode(claims)}.AAAA`), undefined, JSON.stringify(payload))
  }
})
