// Tokens as strings: refresh tokens, tokens between the steps of a login, JWTs of others, and what they claim.

import { createHmac } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { readForeignJwt } from '../../../src/assertions/foreign-jwt.ts'
import { readJsonObject } from '../../../src/assertions/strict-json.ts'
import type { ClientId } from '../../../src/clients/client.ts'
import { authenticateMfaToken, mintMfaToken, newMfaToken } from '../../../src/factors/mfa-token.ts'
import type { FamilyId } from '../../../src/families/family.ts'
import {
  authenticateRefreshToken,
  mintRefreshToken,
} from '../../../src/families/refresh-token-string.ts'
import { readClaims } from '../../../src/tokens/read-claims.ts'
import type { UserId } from '../../../src/users/user.ts'
import { rootSecretsOf } from '../../support/root-secrets.ts'
import { type FuzzTarget, headerOf, holds, isSame, textOf } from '../fuzz-target.ts'
import { isUnambiguousJson } from '../unambiguous-json.ts'

const secrets = rootSecretsOf(1, 2)
const USER = '00112233-4455-4677-8899-aabbccddeeff' as UserId
const familyId = 'ffeeddcc-bbaa-4988-b766-554433221100' as FamilyId
const refreshToken = mintRefreshToken(
  { userId: USER, familyId, familySecret: Buffer.alloc(16, 0xfb), generation: 7 },
  secrets,
)
const SIGNED_BYTES = 54

const refresh: FuzzTarget = {
  name: 'refresh-token',
  covers: [
    'src/families/refresh-token-string.ts authenticateRefreshToken',
    'src/runtime/uuid.ts readUuid',
  ],
  // Without the prefix, the bytes that are signed: a MAC is put behind them here, which nobody else can.
  seeds: [refreshToken, Buffer.from(refreshToken.slice(4), 'base64url').subarray(0, SIGNED_BYTES)],
  tokens: ['lrt_', '=', '-', '_', '+', '/', '\x01', '\xff\xff\xff\xff'],
  lengthMax: 128,
  check(input) {
    const given = headerOf(input)
    isSame(
      authenticateRefreshToken(given, secrets) !== undefined,
      given === refreshToken,
      'a token that nobody minted',
    )
    const signed = Buffer.concat([input, Buffer.alloc(SIGNED_BYTES)]).subarray(0, SIGNED_BYTES)
    const mac = createHmac('sha256', secrets.current.refreshTokenKey).update(signed).digest()
    const text = `lrt_${Buffer.concat([signed, mac.subarray(0, 16)]).toString('base64url')}`
    const read = authenticateRefreshToken(text, secrets)
    const isOurs = signed[0] === 1 && signed[1] === secrets.current.id
    const generation = signed.readUInt32BE(SIGNED_BYTES - 4)
    isSame(
      read !== undefined,
      isOurs && generation < 0xffff_ffff,
      'a token is taken by what it says',
    )
    if (!read) return false
    isSame(mintRefreshToken(read, secrets), text, 'a token that was minted again')
    isSame(read.userId.replaceAll('-', ''), signed.toString('hex', 2, 18), 'the user')
    return true
  },
}

const target = { scope: ['a'], isScopeAsked: true, audience: { grant: ['b'], token: ['b'] } }
const step = { userId: USER, epoch: 3, clientId: 'c' as ClientId, target }
const mfa = mintMfaToken({ ...newMfaToken(step, 0), id: familyId }, secrets)

const mfaToken: FuzzTarget = {
  name: 'mfa-token',
  covers: ['src/factors/mfa-token.ts authenticateMfaToken'],
  seeds: [mfa, 'lmt_', 'lmt_AAAA'],
  tokens: ['lmt_', '=', '-', '_', 'A'],
  check(input) {
    const given = headerOf(input)
    const read = authenticateMfaToken(given, secrets)
    isSame(read !== undefined, given === mfa, 'a token that nobody minted')
    return read !== undefined
  },
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const JWT = `${part({ alg: 'ES256', kid: 'k', typ: 'JWT' })}.${part({ sub: 'a', aud: ['b'], exp: 1 })}.AAAA`

const jwt: FuzzTarget = {
  name: 'jwt',
  covers: ['src/assertions/foreign-jwt.ts readForeignJwt'],
  within: ['src/assertions/strict-json.ts'],
  // With a line break, header and claims as JSON: they are encoded here.
  seeds: [
    JWT,
    '{"alg":"ES256","kid":"k"}\n{"sub":"a","nested":{"a":[1,{"b":2}]}}',
    '{"alg":"RS256","crit":["b64"],"b64":false}\n{}',
    '{"alg":"a","alg":"b"}\n{}',
    '{"alg":"a"}\n{"\\u0061":1,"a":2}',
    '{"alg":"a"}\n{"__proto__":{}}',
  ],
  tokens: [
    '.',
    '..',
    '=',
    '{',
    '}',
    '"',
    '":',
    ',',
    '\\u0061',
    '[[',
    ']]',
    '"alg":',
    'null',
    '\xef\xbb\xbf',
    '"__proto__":1',
  ],
  lengthMax: 4_096,
  check(input) {
    const [header, ...claims] = splitLines(input)
    const rest = Buffer.concat(claims)
    const text =
      header && claims.length > 0
        ? `${header.toString('base64url')}.${rest.toString('base64url')}.AAAA`
        : textOf(input)
    const { jwt: read } = readForeignJwt(text)
    if (!read) return false
    const parts = text.split('.')
    isSame(
      parts.map((one) => Buffer.from(one, 'base64url').toString('base64url')),
      parts,
      'one spelling',
    )
    isSame(read.signed.toString(), parts.slice(0, 2).join('.'), 'what is signed')
    const theirs = decodeProtectedHeader(text)
    isSame(
      [theirs.alg, theirs.kid, theirs.typ],
      [read.header.alg, read.header.kid, read.header.typ],
      'the header',
    )
    isSame(decodeJwt(text), read.claims, 'the claims')
    for (const one of parts.slice(0, 2)) {
      holds(isUnambiguousJson(Buffer.from(one, 'base64url')), 'JSON that can be read in one way')
    }
    return true
  },
}

/** At the first line break. */
function splitLines(input: Buffer): Buffer[] {
  const at = input.indexOf('\n')
  return at < 0 ? [input] : [input.subarray(0, at), input.subarray(at + 1)]
}

const strictJson: FuzzTarget = {
  name: 'strict-json',
  covers: ['src/assertions/strict-json.ts readJsonObject'],
  seeds: [
    '{"a":{"b":[1,"c\\"}",{"d":null}]},"e":1e3}',
    '{"a":1,"\\u0061":2}',
    '{"__proto__":1}',
    '[1]',
    `${'{"a":'.repeat(17)}1${'}'.repeat(17)}`,
  ],
  tokens: [
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    '\\',
    '\\"',
    '\\u0061',
    '\\ud800',
    '"a"',
    '"__proto__"',
    'true',
    '-0',
    '1e999',
    ' ',
    '\t',
    '\xef\xbb\xbf',
  ],
  check(input) {
    const read = readJsonObject(input)
    isSame(
      read !== undefined,
      isUnambiguousJson(input),
      'JSON is taken when it can be read in one way',
    )
    if (read === undefined) return false
    isSame(read, JSON.parse(input.toString()), 'the value')
    isSame(Object.getPrototypeOf(read) === Object.prototype, true, 'a plain object')
    return true
  },
}

const CLAIMS = {
  ...{
    iss: 'i',
    sub: USER,
    aud: 'a',
    exp: 2,
    iat: 1,
    jti: 'j',
    client_id: 'c',
    scope: 'a b',
    sid: familyId,
  },
  ...{ auth_time: 1, amr: ['pwd'], roles: ['r'], cnf: { jkt: 'k' }, act: { sub: 'x' } },
}

const claims: FuzzTarget = {
  name: 'claims',
  covers: ['src/tokens/read-claims.ts readClaims'],
  within: [
    'src/oauth/actor.ts',
    'src/oauth/confirmation.ts',
    'src/oauth/exchange-trail.ts',
    'src/tokens/external-subject.ts',
  ],
  seeds: [
    JSON.stringify(CLAIMS),
    JSON.stringify({ ...CLAIMS, sid: undefined, sub: 'c', amr: undefined, roles: undefined }),
    JSON.stringify({
      ...CLAIMS,
      aud: ['a', 'b'],
      act: { sub: 'a', act: { sub: 'b' } },
      may_act: { sub: 'c' },
    }),
    '{"iss":"i","sub":"c","aud":[],"exp":1,"iat":1.5,"jti":"","client_id":"c"}',
  ],
  tokens: [
    'null',
    '""',
    '[]',
    '{}',
    '"a"',
    '1e400',
    '-1',
    '1.5',
    '"act":',
    '"cnf":{"x5t#S256":"a"}',
    '"may_act":',
    '"exchanged_from":',
    '"sub":',
    '{"sub":"a"}',
  ],
  check(input) {
    const given = readJsonObject(input)
    const read = given && readClaims(given)
    if (!given || !read) return false
    for (const [name, value] of Object.entries(read)) {
      if (value !== undefined && name !== 'amr') isSame(value, given[name], `the claim ${name}`)
    }
    holds(
      [read.iss, read.sub, read.jti, read.client_id].every(
        (text) => typeof text === 'string' && text !== '',
      ),
      'texts',
    )
    holds([read.exp, read.iat].every(Number.isSafeInteger), 'times')
    isSame(
      readClaims(JSON.parse(JSON.stringify(read)) as Record<string, unknown>),
      read,
      'claims that were written again',
    )
    return true
  },
}

export const TOKEN_TARGETS: readonly FuzzTarget[] = [refresh, mfaToken, jwt, strictJson, claims]
