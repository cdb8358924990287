// JWTs of others, and the JSON in them.

import { decodeJwt, decodeProtectedHeader } from 'jose'
import { readForeignJwt } from '../../../src/assertions/foreign-jwt.ts'
import { readJsonObject } from '../../../src/runtime/strict-json.ts'
import { type FuzzTarget, holds, isSame, textOf } from '../fuzz-target.ts'
import { isUnambiguousJson } from '../unambiguous-json.ts'

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const JWT = `${part({ alg: 'ES256', kid: 'k', typ: 'JWT' })}.${part({ sub: 'a', aud: ['b'], exp: 1 })}.AAAA`

const jwt: FuzzTarget = {
  name: 'jwt',
  covers: ['src/assertions/foreign-jwt.ts readForeignJwt'],
  within: ['src/runtime/strict-json.ts'],
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
  covers: ['src/runtime/strict-json.ts readJsonObject'],
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

export const JWT_TARGETS: readonly FuzzTarget[] = [jwt, strictJson]
