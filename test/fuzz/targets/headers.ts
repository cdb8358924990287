// Headers by which callers name themselves: Basic, bearer tokens, cookies.

import { fastifyCookie } from '@fastify/cookie'
import { readClientCredentials } from '../../../src/client-auth/read-client-credentials.ts'
import { parseFormBody } from '../../../src/http/oauth/form-body.ts'
import { readCookies } from '../../../src/http/server/cookie-header.ts'
import { hasTokenCredentials, presentedTokenOf } from '../../../src/http/server/presented-token.ts'
import { OAuthError } from '../../../src/oauth/oauth-error.ts'
import { type FuzzTarget, headerOf, holds, isSame, unlessRefused } from '../fuzz-target.ts'

const isRefusal = (error: unknown) =>
  error instanceof OAuthError && ['invalid_client', 'invalid_request'].includes(error.code)

const encode = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`
const NO_FORM = parseFormBody(Buffer.alloc(0))

const basic: FuzzTarget = {
  name: 'basic',
  covers: ['src/client-auth/read-client-credentials.ts readClientCredentials'],
  within: ['src/client-auth/client-secret-basic.ts'],
  encoding: 'latin1',
  // With a colon, the pair: it is encoded here.
  seeds: [
    encode('client:secret'),
    encode('c%C3%A9:a+b%3A'),
    encode('public:'),
    encode('a:b:c'),
    'client:secret',
    'c%C3%A9:a+b%3A',
    encode('a:%zz'),
    encode('a:\u00ff'),
    'basic  YTpi ',
    'Basic YTpi=',
    'Bearer abc',
    'Basic \xa0YTpi',
  ],
  tokens: [
    'Basic ',
    'bAsIc ',
    '=',
    '==',
    '+',
    '/',
    '-',
    '_',
    'YTpi',
    'JQ',
    'Og',
    'Ojo6',
    '\t',
    '\xa0',
  ],
  check(input) {
    const header = headerOf(input)
    const authorization = header.includes(':') ? `Basic ${input.toString('base64')}` : header
    const read = unlessRefused(
      () => readClientCredentials({ headers: { authorization }, form: NO_FORM }),
      isRefusal,
    )
    const expected = readBasic(authorization)
    isSame(read !== undefined, expected !== undefined, 'credentials are taken in their one form')
    if (!read || !expected) return false
    isSame([read.clientId, read.proof], expected, 'id and secret')
    isSame(read.method.method, read.proof === '' ? 'none' : 'client_secret_basic', 'the method')
    return true
  },
}

/** RFC 7617 §2 and RFC 6749 appendix B, by other means: atob, and the parser of queries. */
function readBasic(authorization: string): readonly [id: string, secret: string] | undefined {
  const token = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(authorization)?.[1]
  if (token === undefined || authorization.length > 4_096) return undefined
  try {
    const bytes = atob(token)
    if (btoa(bytes) !== token) return undefined
    const pair = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.from(bytes, (character) => character.charCodeAt(0)),
    )
    const colon = pair.indexOf(':')
    const [id, secret] = [pair.slice(0, Math.max(0, colon)), pair.slice(colon + 1)]
    if (colon < 1) return undefined
    return [decodeOne(id), decodeOne(secret)]
  } catch {
    return undefined
  }
}

/** Throws where an escape is not one, or gives no UTF-8. */
function decodeOne(text: string): string {
  if (/%(?![0-9a-f]{2})/i.test(text)) throw new RangeError('no escape')
  const written = text.replaceAll('&', '%26').replaceAll('=', '%3D')
  const decoded = new URLSearchParams(`&x=${written}`).get('x') ?? ''
  const isLossy = decoded.split('\ufffd').length > text.split(/\ufffd|%EF%BF%BD/i).length
  if (isLossy) throw new RangeError('no UTF-8')
  return decoded
}

const bearer: FuzzTarget = {
  name: 'bearer',
  covers: ['src/http/server/presented-token.ts presentedTokenOf'],
  encoding: 'latin1',
  seeds: [
    'Bearer abc.d-e_f',
    'dpop  a== ',
    'Basic YTpi',
    'Bearer',
    'bearer a b',
    'Bearer a=b',
    'Bearer,a',
  ],
  tokens: ['Bearer ', 'DPoP ', '=', ' ', ',', '.', '~', '+', '/', '\t', '\xa0', '"'],
  check(input) {
    const authorization = headerOf(input)
    const request = {
      headers: { authorization },
      raw: { rawHeaders: ['Authorization', authorization] },
    }
    const found = presentedTokenOf(request as Parameters<typeof presentedTokenOf>[0])
    const tries = hasTokenCredentials(request as Parameters<typeof presentedTokenOf>[0])
    if (!found) return false
    holds(tries, 'what has a token tries to bring one')
    // RFC 6750 §2.1 and RFC 9110 §11.2, split at blanks.
    const [scheme, token, ...rest] = authorization.split(' ').filter((word) => word !== '')
    isSame(rest, [], 'nothing behind the token')
    isSame(found.token, token, 'the token')
    isSame(found.scheme.toLowerCase(), scheme?.toLowerCase(), 'the scheme')
    holds(/^[A-Za-z0-9\-._~+/]+=*$/.test(found.token), 'a token68')
    return true
  },
}

const NAME = '__Host-lineage_refresh-c'

const cookies: FuzzTarget = {
  name: 'cookies',
  covers: ['src/http/server/cookie-header.ts readCookies'],
  encoding: 'latin1',
  seeds: [
    `${NAME}=lrt_a; b=c`,
    'a=1; a=2;;b;=c; d=e=f',
    `\xa0${NAME}=x`,
    '\ta=" b ";c=%41',
    'a=b;'.repeat(300),
    '__proto__=a; constructor=b',
  ],
  tokens: [';', '=', '; ', ' ', '\t', '\xa0', '"', '%3D', NAME, '__proto__', ','],
  lengthMax: 4_096,
  check(input) {
    const cookie = headerOf(input)
    const found = readCookies({ headers: { cookie } })
    const parts = cookie.split(';').filter((part) => part.includes('='))
    isSame(found.length, parts.length > 256 ? 0 : parts.length, 'every cookie or none')
    if (found.length === 0) return false
    holds(
      found.every(({ name }) => !/[;=]|^[ \t]/.test(name)),
      'a name without marks',
    )
    holds(
      found.every(({ value }) => !/;|[ \t]$/.test(value)),
      'a value without marks',
    )
    const written = found.map(({ name, value }) => `${name}=${value}`).join('; ')
    isSame(readCookies({ headers: { cookie: written } }), found, 'cookies that were written again')
    // The other one cuts blanks around the equals sign as well, and keeps the first of each name.
    const theirs = fastifyCookie.parse(cookie, { decode: (value: string) => value })
    for (const [name, value] of Object.entries(theirs)) {
      const ours = found.find((one) => trim(one.name) === name)
      isSame(ours && unquote(trim(ours.value)), unquote(String(value)), 'the first of a name')
    }
    return true
  },
}

function trim(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '')
}

function unquote(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text
}

export const HEADER_TARGETS: readonly FuzzTarget[] = [basic, bearer, cookies]
