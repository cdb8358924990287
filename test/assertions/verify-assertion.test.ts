// What an assertion has to say and who has to have signed it, check by check.

import type { KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import { test } from 'tap'
import {
  ASSERTION_CHECKS,
  type AssertionRules,
  expiryMs,
} from '../../src/assertions/assertion-checks.ts'
import { readForeignJwt } from '../../src/assertions/foreign-jwt.ts'
import { type KeySource, statedKeys } from '../../src/assertions/key-source.ts'
import { verifyAssertion } from '../../src/assertions/verify-assertion.ts'
import { makeKeyPairSync } from '../../src/runtime/key-pair.ts'

const NOW_MS = 1_900_000_000_500
const NOW = 1_900_000_000
const RULES: AssertionRules = {
  types: ['jwt'],
  algs: [],
  issuer: 'https://issuer.example',
  subject: undefined,
  audiences: ['https://login.example'],
  lifeSecondsMax: 300,
  jti: 'optional',
}
const CLAIMS = { iss: RULES.issuer, sub: 'a', aud: RULES.audiences[0], exp: NOW + 60 }

const PAIRS = {
  ES256: makeKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: makeKeyPairSync('ed25519'),
  RS256: makeKeyPairSync('rsa', { modulusLength: 2048 }),
}
const keyOf = (alg: keyof typeof PAIRS, more: object = {}) => ({
  ...PAIRS[alg].publicKey.export({ format: 'jwk' }),
  ...more,
})

interface Signing {
  readonly alg?: string
  readonly key?: KeyObject
  readonly header?: object
}

async function sign(claims: object, { alg = 'ES256', key, header }: Signing = {}): Promise<string> {
  const signer = new SignJWT({ ...claims }).setProtectedHeader({ alg, ...header })
  return await signer.sign(key ?? PAIRS.ES256.privateKey)
}

async function verify(token: string, source: KeySource, rules = RULES, nowMs = NOW_MS) {
  const { jwt, problem } = readForeignJwt(token)
  return jwt ? await verifyAssertion(jwt, rules, source, nowMs) : problem
}

test('each check has a name of its own, and the claims of each are refused with a reason', async (t) => {
  const names = ASSERTION_CHECKS.map(({ name }) => name)
  t.equal(new Set(names).size, names.length)
  const source = statedKeys({ keys: [keyOf('ES256')] })
  const cases: [string, object, string | undefined][] = [
    ['all good', {}, undefined],
    ['an audience in a list', { aud: RULES.audiences }, undefined],
    ['a fraction of a second left', { exp: NOW + 0.6 }, undefined],
    ['the longest life', { exp: NOW + 300 }, undefined],
    ['a clock that is a minute ahead', { iat: NOW + 60, nbf: NOW + 60 }, undefined],
    ['no issuer', { iss: undefined }, 'issuer_wrong'],
    ['an issuer with a slash', { iss: `${RULES.issuer}/` }, 'issuer_wrong'],
    ['a list of issuers', { iss: [RULES.issuer] }, 'issuer_wrong'],
    ['a list of subjects', { sub: ['a'] }, 'subject_wrong'],
    ['no subject', { sub: undefined }, 'subject_wrong'],
    ['an empty subject', { sub: '' }, 'subject_wrong'],
    ['a long subject', { sub: 'a'.repeat(513) }, 'subject_wrong'],
    ['no audience', { aud: undefined }, 'audience_wrong'],
    ['an empty list', { aud: [] }, 'audience_wrong'],
    ['another as well', { aud: [...RULES.audiences, 'https://b.example'] }, 'audience_wrong'],
    ['a number as well', { aud: [...RULES.audiences, 1] }, 'audience_wrong'],
    ['a list within a list', { aud: [RULES.audiences] }, 'audience_wrong'],
    ['many of the same', { aud: Array(11).fill(RULES.audiences[0]) }, 'audience_wrong'],
    ['no expiry', { exp: undefined }, 'expired'],
    ['an expiry of this very moment', { exp: NOW + 0.5 }, 'expired'],
    ['an expiry as text', { exp: String(NOW + 60) }, 'expired'],
    ['a long life', { exp: NOW + 301 }, 'life_too_long'],
    ['an endless one', { exp: Number.MAX_VALUE }, 'life_too_long'],
    ['a start to come', { nbf: NOW + 62 }, 'not_yet_valid'],
    ['a start as text', { nbf: '0' }, 'not_yet_valid'],
    ['a birth to come', { iat: NOW + 62 }, 'not_yet_valid'],
    ['a birth long ago', { iat: NOW - 361 }, 'too_old'],
    ['an id that is a number', { jti: 1 }, 'jti_missing'],
    ['an empty id', { jti: '' }, 'jti_missing'],
    ['a long id', { jti: 'a'.repeat(513) }, 'jti_missing'],
  ]
  for (const [what, claims, reason] of cases) {
    t.equal(await verify(await sign({ ...CLAIMS, ...claims }), source), reason, what)
  }
  const demanding: [Partial<AssertionRules>, string | undefined][] = [
    [{ jti: 'required' }, 'jti_missing'],
    [{ subject: 'a' }, undefined],
    [{ subject: 'b' }, 'subject_wrong'],
    [{ algs: ['RS256', 'PS256'] }, 'alg_refused'],
  ]
  for (const [rules, reason] of demanding) {
    t.equal(await verify(await sign(CLAIMS), source, { ...RULES, ...rules }), reason)
  }
  const good = readForeignJwt(await sign(CLAIMS)).jwt
  t.equal(good && expiryMs(good), (NOW + 60) * 1000)
})

test('every algorithm is verified, EdDSA under both of its names', async (t) => {
  const keys = (['ES256', 'EdDSA', 'RS256'] as const).map((alg) => keyOf(alg, { kid: alg }))
  const source = statedKeys({ keys })
  const signings: [string, keyof typeof PAIRS][] = [
    ['ES256', 'ES256'],
    ['EdDSA', 'EdDSA'],
    ['Ed25519', 'EdDSA'],
    ['RS256', 'RS256'],
    ['PS256', 'RS256'],
  ]
  for (const [alg, kid] of signings) {
    const key = PAIRS[kid].privateKey
    for (const header of [{ kid }, {}]) {
      t.equal(await verify(await sign(CLAIMS, { alg, key, header }), source), undefined, alg)
    }
    const token = await sign(CLAIMS, { alg, key, header: { kid } })
    for (const algs of [['EdDSA'], ['Ed25519']]) {
      const reason = await verify(token, source, { ...RULES, algs })
      t.equal(reason, kid === 'EdDSA' ? undefined : 'alg_refused', alg)
    }
  }
})

test('a kid chooses among the keys of one issuer, and a key without one may be meant by any', async (t) => {
  const other = makeKeyPairSync('ec', { namedCurve: 'P-256' })
  const otherKey = other.publicKey.export({ format: 'jwk' })
  const mine = keyOf('ES256')
  const cases: [string, object[], object, string | undefined][] = [
    [
      'the one that it names',
      [
        { ...otherKey, kid: 'a' },
        { ...mine, kid: 'b' },
      ],
      { kid: 'b' },
      undefined,
    ],
    [
      'another one',
      [
        { ...otherKey, kid: 'a' },
        { ...mine, kid: 'b' },
      ],
      { kid: 'a' },
      'signature_wrong',
    ],
    ['none of them', [{ ...mine, kid: 'b' }], { kid: 'c' }, 'key_unknown'],
    [
      'two of one name',
      [
        { ...otherKey, kid: 'a' },
        { ...mine, kid: 'a' },
      ],
      { kid: 'a' },
      undefined,
    ],
    [
      'no name in the header',
      [
        { ...otherKey, kid: 'a' },
        { ...mine, kid: 'b' },
      ],
      {},
      undefined,
    ],
    ['no name in the set', [otherKey, mine], { kid: 'b' }, undefined],
    ['no key', [], {}, 'key_unknown'],
    ['a key for something else', [{ ...mine, use: 'enc' }], {}, 'key_unknown'],
  ]
  for (const [what, keys, header, reason] of cases) {
    const token = await sign(CLAIMS, { header })
    t.equal(await verify(token, statedKeys({ keys: keys as object[] })), reason, what)
  }
})
