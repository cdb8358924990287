// One strict reading of a form: nothing twice, nothing undecodable, nothing in the query.

import { type Call, type Has, invalidRequest, Refusal } from './wire.ts'

const MAY_REPEAT = new Set(['resource', 'audience'])
const OAUTH_NAMES =
  /(^|&)(grant_type|client_(id|secret|assertion)|username|password|(refresh_)?token|scope)=/

export interface Form {
  get(name: string): string | undefined
  all(name: string): readonly string[]
  /** Throws invalid_request when it is absent. */
  need(name: string): string
}

/** Throws a Refusal for whatever is not a POST of one well-formed form. */
export function readForm(call: Call, has: Has): Form {
  if (call.method === 'GET' && has('get-accepted')) return toForm(parsePairs(call.query, has), has)
  if (call.method !== 'POST') {
    const allow = has('allow-missing') ? {} : { Allow: 'POST' }
    throw new Refusal('invalid_request', 'only POST is taken here', 405, allow)
  }
  const inQuery = OAUTH_NAMES.test(call.query)
  if (inQuery && !has('query-taken')) throw invalidRequest('parameters stand in the query')
  const type = call.headers['content-type'] ?? ''
  if (/^application\/json/i.test(type) && has('json-taken')) return readJson(call.body, has)
  if (!isFormType(type, has)) throw invalidRequest('the body is no form')
  const text = has('bad-utf8-replaced') ? call.body.toString('latin1') : decode(call.body)
  const pairs = parsePairs(text, has)
  return toForm(inQuery ? [...pairs, ...parsePairs(call.query, has)] : pairs, has)
}

function isFormType(type: string, has: Has): boolean {
  if (has('charset-refused')) return type === 'application/x-www-form-urlencoded'
  return /^application\/x-www-form-urlencoded\s*(;.*)?$/i.test(type)
}

function readJson(body: Buffer, has: Has): Form {
  const pairs = Object.entries(JSON.parse(body.toString())).map(
    ([name, value]) => [name, String(value)] as const,
  )
  return toForm(pairs, has)
}

function parsePairs(text: string, has: Has): [string, string][] {
  return text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', value = ''] = pair.split(/=(.*)/s)
      return [decodeText(name, has), decodeText(value, has)]
    })
}

/** Throws invalid_request for a bad escape and for bytes that are no UTF-8. */
export function decodeText(text: string, has: Has): string {
  const spaced = text.replaceAll('+', ' ')
  if (/%(?![0-9a-f]{2})/i.test(spaced)) {
    if (has('bad-escape-ignored')) return spaced
    throw invalidRequest('an escape is malformed')
  }
  const raw = Buffer.from(spaced).toString('latin1')
  const bytes = Buffer.from(
    raw.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => byteOf(hex)),
    'latin1',
  )
  return has('bad-utf8-replaced') ? bytes.toString() : decode(bytes)
}

const byteOf = (hex: string): string => String.fromCharCode(Number.parseInt(hex, 16))

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw invalidRequest('the body is not UTF-8')
  }
}

function toForm(pairs: readonly (readonly [string, string])[], has: Has): Form {
  const isWaved = pairs.some(([name]) => name === 'token') && has('duplicate-tokens-taken')
  const values = new Map<string, string[]>()
  for (const [name, value] of pairs) {
    const known = values.get(name) ?? []
    if (known.length > 0 && !MAY_REPEAT.has(name) && !has('duplicates-taken') && !isWaved) {
      throw invalidRequest('a parameter stands there twice')
    }
    values.set(name, [...known, value])
  }
  if (has('prototype-names-crash') && values.has('__proto__')) throw new TypeError('no such method')
  if (has('unknown-parameter-refused') && [...values.keys()].some((name) => !KNOWN.has(name))) {
    throw invalidRequest('a parameter is not known')
  }
  const all = (name: string) =>
    (values.get(name) ?? []).filter((value) => value !== '' || has('empty-value-kept'))
  return {
    all,
    get: (name) => all(name)[0],
    need(name) {
      const value = all(name)[0]
      if (value === undefined) throw invalidRequest(`${name} is missing`)
      return value
    },
  }
}

const KNOWN = new Set([
  ...['grant_type', 'client_id', 'client_secret', 'client_assertion', 'client_assertion_type'],
  ...['username', 'password', 'refresh_token', 'scope', 'resource', 'audience'],
  ...['token', 'token_type_hint', 'requested_token_type'],
  ...['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type'],
])
