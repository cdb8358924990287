// Proofs of DPoP, and public keys of others.

import { createHash, sign } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { openVerificationKey } from '../../../src/assertions/verification-key.ts'
import { isUrlOf } from '../../../src/dpop/proof-target.ts'
import { readProof } from '../../../src/dpop/read-proof.ts'
import { DPOP_ERRORS } from '../../../src/oauth/dpop-errors.ts'
import { makeKeyPairSync } from '../../../src/runtime/key-pair.ts'
import { readJsonObject } from '../../../src/runtime/strict-json.ts'
import { type FuzzTarget, headerOf, holds, isSame, textOf } from '../fuzz-target.ts'
import { isUnambiguousJson } from '../unambiguous-json.ts'

const { publicKey, privateKey } = makeKeyPairSync('ed25519')
const jwk = publicKey.export({ format: 'jwk' })
/** In place of the key, which is another one in each run: inputs are kept. */
const KEY_MARK = '"@"'
const HEADER = `{"typ":"dpop+jwt","alg":"Ed25519","jwk":${KEY_MARK}}`
const CLAIMS = '{"jti":"a","htm":"POST","htu":"https://a.test/token","iat":1,"nonce":"n","ath":"h"}'
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const proof: FuzzTarget = {
  name: 'dpop',
  covers: ['src/dpop/read-proof.ts readProof', 'src/dpop/proof-key.ts readProofKey'],
  // With a line break, header and claims as JSON: they are encoded and signed here.
  seeds: [
    `${HEADER}\n${CLAIMS}`,
    `{"typ":"dpop+jwt","alg":"EdDSA","jwk":${KEY_MARK},"crit":["b64"]}\n${CLAIMS}`,
    `{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}}\n${CLAIMS}`,
    `{"typ":"dpop+jwt","alg":"RS256","jwk":{"kty":"RSA","n":"AQAB","e":"AQAB"}}\n${CLAIMS}`,
    `{"typ":"dpop+jwt","alg":"Ed25519","jwk":{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}}\n${CLAIMS}`,
    `${HEADER}\n{"jti":"a","jti":"b","htm":"POST","htu":"u","iat":1}`,
    'eyJ9.eyJ9.AAAA',
  ],
  tokens: [
    '"jti":',
    '"iat":1e400',
    '"htm":',
    '"crit":',
    '"typ":"dpop+jwt"',
    '{}',
    'null',
    '"\\u006ati":"b"',
    '"__proto__":{}',
    KEY_MARK,
    '.',
    '\xff',
  ],
  lengthMax: 4_096,
  check(input) {
    const text = toProof(input)
    const read = readProof(text)
    if (typeof read === 'string') {
      holds(Object.hasOwn(DPOP_ERRORS, read), 'a refusal by its name')
      return false
    }
    const [head = '', payload = '', signature] = text.split('.')
    const header = decodeProtectedHeader(text) as Record<string, unknown>
    const claims = decodeJwt(text)
    const { jti, htm, htu, iat, nonce, ath } = claims
    isSame([read.jti, read.htm, read.htu, read.iat], [jti, htm, htu, iat], 'the claims')
    isSame([read.nonce, read.ath], [nonce, ath], 'nonce and hash')
    isSame(header.typ, 'dpop+jwt', 'the type')
    holds(header.crit === undefined && signature !== '', 'nothing critical, and a signature')
    const given = header.jwk as Record<string, unknown>
    holds(!PRIVATE.some((name) => Object.hasOwn(given, name)), 'no private part')
    const { crv, kty, x } = given
    const thumbprint = createHash('sha256')
      .update(JSON.stringify({ crv, kty, x }))
      .digest('base64url')
    isSame(read.thumbprint, thumbprint, 'the thumbprint')
    for (const part of [head, payload]) {
      holds(isUnambiguousJson(Buffer.from(part, 'base64url')), 'JSON that can be read in one way')
    }
    return true
  },
}

function toProof(input: Buffer): string {
  const [header = '', ...claims] = input.toString('latin1').split('\n')
  if (claims.length === 0) return headerOf(input)
  const parts = [header, claims.join('\n')].map((part) =>
    Buffer.from(part.replaceAll(KEY_MARK, JSON.stringify(jwk)), 'latin1').toString('base64url'),
  )
  const signed = parts.join('.')
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`
}

const url: FuzzTarget = {
  name: 'proof-url',
  covers: ['src/dpop/proof-target.ts isUrlOf'],
  seeds: [
    'https://a.test/token\nhttps://A.test:443/%74oken?x#y',
    'https://a.test/b/../token\nhttps://a.test/token',
    'https:a.test\nhttps://a.test/',
    'https://u@a.test/\nhttps://a.test/',
    'https://a.test/%2f\nhttps://a.test/%2F',
  ],
  tokens: [
    'https://',
    'http:',
    '//',
    '\\',
    '%2f',
    '%41',
    '..',
    './',
    ':443',
    '@',
    '?',
    '#',
    '\n',
    '\t',
    '[::1]',
    '\u00e9',
  ],
  check(input) {
    const [one = '', other = ''] = textOf(input).split('\n')
    const isAlike = isUrlOf(one, other)
    isSame(isUrlOf(other, one), isAlike, 'the same both ways')
    if (!isAlike || one === other) return false
    const [left, right] = [new URL(one), new URL(other)]
    isSame(left.origin, right.origin, 'the origin')
    const paths = [left, right].map(({ pathname }) => decodeOnce(pathname))
    isSame(paths[0], paths[1], 'the path')
    holds(
      [one, other].every((text) => /^[\x21-\x7e]+$/.test(text)),
      'printable',
    )
    holds(
      [left, right].every(({ username, password }) => username + password === ''),
      'nobody named',
    )
    return true
  },
}

/** What is reserved stays as it is. */
function decodeOnce(path: string): string {
  return path.replaceAll(/%([0-9a-f]{2})/gi, (all, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return /[A-Za-z0-9\-._~]/.test(character) ? character : all.toUpperCase()
  })
}

const key: FuzzTarget = {
  name: 'public-key',
  covers: ['src/assertions/verification-key.ts openVerificationKey'],
  within: ['src/assertions/assertion-algs.ts', 'src/runtime/jws-algorithms.ts'],
  seeds: [
    '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"k","use":"sig"}',
    '{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","alg":"ES256"}',
    `{"kty":"RSA","e":"AQAB","n":"${'v'.repeat(342)}"}`,
    '{"kty":"RSA","e":"Aw","n":"AQAB"}',
    '{"kty":"OKP","crv":"Ed25519","x":"","d":"AA"}',
    '{"kty":"constructor"}',
  ],
  tokens: [
    '"kty":',
    '"key_ops":["verify"]',
    '"use":"enc"',
    '"use":"jwt-svid"',
    '"alg":"EdDSA"',
    '"__proto__":',
    '{}',
    '[]',
    'null',
    '"kid":',
    '"toString"',
  ],
  check(input) {
    const value = readJsonObject(input)
    const { key: opened, problem } = openVerificationKey(value)
    if (!opened) {
      holds(typeof problem === 'string' && /^must /.test(problem), 'a problem in words')
      return false
    }
    const type = opened.object.asymmetricKeyType ?? ''
    isSame(opened.object.type, 'public', 'a public key')
    holds(opened.algs.length > 0, 'it may verify something')
    holds(
      value !== undefined && !PRIVATE.some((name) => Object.hasOwn(value, name)),
      'no private part',
    )
    isSame({ EC: 'ec', OKP: 'ed25519', RSA: 'rsa' }[String(value.kty)], type, 'the kind of key')
    const again = openVerificationKey(opened.object.export({ format: 'jwk' })).key
    holds(again?.object.equals(opened.object) ?? false, 'a key that was written again')
    return true
  },
}

export const PROOF_TARGETS: readonly FuzzTarget[] = [proof, url, key]
