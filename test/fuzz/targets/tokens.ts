// Tokens of our own: refresh tokens, tokens between the steps of a login, and what access tokens claim.

import { createHmac } from 'node:crypto'
import type { ClientId } from '../../../src/clients/client.ts'
import { authenticateMfaToken, mintMfaToken, newMfaToken } from '../../../src/factors/mfa-token.ts'
import type { FamilyId } from '../../../src/families/family.ts'
import {
  authenticateRefreshToken,
  mintRefreshToken,
} from '../../../src/families/refresh-token-string.ts'
import { readJsonObject } from '../../../src/runtime/strict-json.ts'
import { readClaims } from '../../../src/tokens/read-claims.ts'
import type { UserId } from '../../../src/users/user.ts'
import { rootSecretsOf } from '../../support/root-secrets.ts'
import { type FuzzTarget, headerOf, holds, isSame } from '../fuzz-target.ts'

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

export const TOKEN_TARGETS: readonly FuzzTarget[] = [refresh, mfaToken, claims]
