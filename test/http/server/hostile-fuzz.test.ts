// Random requests, as far from sense as a valid HTTP message can be: never a 5xx, always the right
// shape, nothing said back, and a service that works as before. FUZZ_SEED repeats a run.

import { METHODS } from 'node:http'
import fc from 'fast-check'
import { type Test, test } from 'tap'
import { ADMIN, ISSUER, logIn, startApp, type TestApp } from '../../support/app.ts'
import {
  basic,
  exchange,
  isOAuthRefusal,
  isProblem,
  type WireAnswer,
  write,
} from '../../support/hostile-wire.ts'
import { runSize } from '../../support/run-size.ts'

const RUNS = runSize(300, 6_000)
type Credentials = 'none' | 'basic' | 'wrong' | 'admin' | 'user' | 'broken' | 'two'
/** Nothing of ours reads like it, and it would be markup where somebody rendered it. */
const MARKER = '<evil"marker>'
const NOBODY = '11111111-1111-4111-8111-111111111111'

const OAUTH_PATHS = ['/token', '/revoke', '/introspect']
const JSON_PATHS = [
  '/users',
  '/users/me',
  '/users/me/password',
  '/users/me/sessions',
  `/users/me/sessions/${NOBODY}`,
  '/admin/users',
  `/admin/users/${NOBODY}`,
  `/admin/users/${NOBODY}/password`,
  `/admin/users/${NOBODY}/sessions`,
  '/admin/clients',
  '/admin/clients/nobody',
  '/admin/clients/nobody/secrets',
  `/admin/clients/nobody/secrets/${NOBODY}`,
  '/admin/clients/nobody/sessions',
  '/admin/keys',
  '/admin/events',
  '/admin/webhooks',
  `/admin/webhooks/${NOBODY}`,
  `/admin/webhooks/${NOBODY}/deliveries`,
]
const OTHER_PATHS = [
  '/admin/keys/rotate',
  '/livez',
  '/readyz',
  '/.well-known/jwks.json',
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
  '/nowhere',
  '/',
]

const JUNK = [
  MARKER,
  '',
  'x',
  '0',
  '%',
  '%00',
  '%zz',
  '%ff',
  '%2f',
  '../../',
  'é',
  '[]',
  '&',
  '=',
  ';',
  '+',
]
const junk = fc.oneof(
  fc.constantFrom(...JUNK, 'a'.repeat(3000), '__proto__', 'constructor', 'null'),
  fc.string({ maxLength: 20 }),
)
const PARAMETERS = [
  ...['grant_type', 'client_id', 'client_secret', 'username', 'password', 'refresh_token', 'token'],
  ...['scope', 'resource', 'client_assertion', '__proto__', MARKER],
]
const MEMBERS = [
  ...['id', 'username', 'email', 'password', 'passwordHash', 'roles', 'status', 'emailVerified'],
  ...['name', 'type', 'grantTypes', 'scopes', 'audiences', 'accessTokenTtlSeconds', 'secrets'],
  ...['currentPassword', 'newPassword', '__proto__', 'constructor', MARKER],
]
const QUERY_NAMES = ['limit', 'cursor', 'status', 'email', 'type', 'subject', 'since', 'until']
const VALUES = [
  'password',
  'refresh_token',
  'client_credentials',
  'public',
  'confidential',
  ADMIN.id,
]

const value = fc.oneof(junk, fc.constantFrom(...VALUES))
const form = fc
  .array(fc.tuple(fc.constantFrom(...PARAMETERS), value), { maxLength: 6 })
  .map((pairs) => new URLSearchParams(pairs).toString())
const json = fc
  .oneof(
    fc.dictionary(fc.constantFrom(...MEMBERS), fc.oneof(value, fc.json().map(asJson))),
    fc.json().map(asJson),
  )
  .map((document) => JSON.stringify(document))
const body = fc.oneof(
  form.map((text) => Buffer.from(text)),
  json.map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(Buffer.alloc(0), Buffer.alloc(20_000, 'a'), Buffer.alloc(70_000, '[')),
)
const type = fc.constantFrom(
  ...['application/x-www-form-urlencoded', 'application/json', 'application/merge-patch+json'],
  ...['text/plain', 'multipart/form-data; boundary=x', MARKER, ''],
)
const query = fc
  .array(fc.tuple(fc.constantFrom(...QUERY_NAMES, ...PARAMETERS), junk), {
    maxLength: 3,
  })
  .map((pairs) => (pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`))
const path = fc
  .tuple(
    fc.constantFrom(...OAUTH_PATHS, ...OAUTH_PATHS, ...JSON_PATHS, ...OTHER_PATHS),
    fc.oneof({ weight: 4, arbitrary: fc.constant('') }, fc.constantFrom(...JUNK.filter(isTarget))),
  )
  .map((parts) => parts.join(''))

const request = fc.record({
  method: fc.oneof(
    fc.constantFrom('GET', 'POST', 'PATCH', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'),
    fc.constantFrom(...METHODS.filter((method) => method !== 'CONNECT')),
  ),
  path,
  query,
  credentials: fc.constantFrom<Credentials>(
    ...(['none', 'basic', 'wrong', 'admin', 'user', 'broken', 'two'] as const),
  ),
  type: fc.option(type, { nil: undefined }),
  headers: fc.subarray([
    `Origin: ${MARKER}`,
    `Cookie: a=${MARKER}`,
    `User-Agent: ${MARKER}`,
    'X: \xff',
  ]),
  body: fc.option(body, { nil: undefined }),
})
/** The same with the method, the media type and the credentials that get further. */
const apt = fc.oneof(
  fc.record({
    path: fc.constantFrom(...OAUTH_PATHS),
    method: fc.constant('POST'),
    credentials: fc.constantFrom<Credentials>('basic', 'none'),
    type: fc.constant('application/x-www-form-urlencoded'),
    body: form.map((text) => Buffer.from(text)),
  }),
  fc.record({
    path: fc.constantFrom(...JSON_PATHS),
    method: fc.constantFrom('POST', 'PATCH', 'PUT', 'GET'),
    credentials: fc.constantFrom<Credentials>('admin', 'admin', 'user'),
    type: fc.constant('application/json'),
    body: json.map((text) => Buffer.from(text)),
  }),
)
const anyRequest = fc
  .tuple(request, fc.option(apt))
  .map(([random, better]) => (better ? { ...random, ...better, query: '' } : random))
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never

function asJson(text: string): unknown {
  return JSON.parse(text)
}

function isTarget(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text)
}

test(`${RUNS} random requests are answered, or refused, as they should be`, async (t) => {
  const app = await startApp(t, { config: { registration: 'open' } })
  const client = await app.makeClient({ scopes: ['a'], audiences: [ISSUER] })
  const user = await app.makeUser()
  const headersOf = await openCredentials(app, client, user)
  const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
  t.comment(`FUZZ_SEED=${seed}`)
  const seen = new Set<number>()

  await fc.assert(
    fc.asyncProperty(anyRequest, async (given) => {
      const headers = [...given.headers, ...headersOf(given.credentials)]
      if (given.type !== undefined) headers.push(`Content-Type: ${given.type}`)
      const start = `${given.method} ${given.path}${given.query}`
      const isHead = given.method === 'HEAD'
      const bytes = write(start, headers, given.body)
      const [answer] = await exchange(app.url, bytes, { bodiless: isHead })
      if (!answer) throw new Error('no answer')
      seen.add(answer.status)
      const faults = findFaults(given, answer)
      if (faults.length > 0) throw new Error(`${start} -> ${answer.status}: ${faults.join(', ')}`)
    }),
    { seed, numRuns: RUNS },
  )
  t.comment(`statuses: ${[...seen].sort().join(' ')}`)
  t.ok(
    [200, 400, 401, 404, 405, 422].every((status) => seen.has(status)),
    'it came somewhere',
  )
  await logIn(app, client, user)
  t.equal((await app.fetch('/readyz')).status, 200)
  // What a security event says of its source is the one word of a caller that may stand there.
  const lines = app.log
    .filter(({ msg }) => !/^Server listening/.test(String(msg)))
    .map(({ userAgent: _, ...line }) => line)
  t.notMatch(JSON.stringify(lines), 'marker', 'nothing of it in the log')
  t.equal(
    app.log.some((line) => line.event === 'request.failed'),
    false,
  )
})

/** What is wrong with an answer; the checks of the other files, run on a test that only listens. */
function findFaults({ method, path: target }: Request, answer: WireAnswer): string[] {
  const { status, headers, body: text } = answer
  const faults: string[] = []
  const listener = {
    equal: (found: unknown, wanted: unknown, what: string) => found === wanted || faults.push(what),
    match: (found: unknown, wanted: RegExp, what: string) =>
      wanted.test(String(found)) || faults.push(what),
    strictSame: (found: unknown, wanted: unknown, what: string) =>
      JSON.stringify(found) === JSON.stringify(wanted) || faults.push(what),
  } as unknown as Test
  const isOAuth = OAUTH_PATHS.includes(decode(target))
  if (status >= 500) faults.push('5xx')
  if (status >= 400) {
    if (JSON.stringify(answer).includes('marker')) faults.push('reflected')
    if (method === 'HEAD') return faults
    if (isOAuth) isOAuthRefusal(listener, answer, 'refusal')
    else isProblem(listener, answer, 'refusal')
  } else if (method !== 'HEAD' && status !== 204 && text !== '') {
    try {
      JSON.parse(text)
    } catch {
      faults.push('not JSON')
    }
  }
  const isPrivate = isOAuth || /^\/(users|admin)/.test(decode(target))
  if (isPrivate && headers['cache-control'] !== 'no-store') faults.push('may be cached')
  if (status === 401 && headers['www-authenticate'] === undefined) faults.push('no challenge')
  if (status === 405 && headers.allow === undefined) faults.push('no Allow')
  return faults
}

function decode(target: string): string {
  try {
    return decodeURIComponent(target)
  } catch {
    return target
  }
}

async function openCredentials(
  app: TestApp,
  client: { id: string; secret: string },
  user: { username: string; password: string },
) {
  const own = basic(`${ADMIN.id}:${ADMIN.secret}`)
  const answer = await app.form('/token', {
    grant_type: 'client_credentials',
    client_id: ADMIN.id,
    client_secret: ADMIN.secret,
  })
  const { access_token: admin } = (await answer.json()) as { access_token: string }
  const { access_token: ofUser } = await logIn(app, client, user)
  const headers: Record<Credentials, string[]> = {
    none: [],
    basic: [own],
    wrong: [basic(`${ADMIN.id}:${MARKER}`)],
    admin: [`Authorization: Bearer ${admin}`],
    user: [`Authorization: Bearer ${ofUser}`],
    broken: [`Authorization: ${MARKER}`],
    two: [own, `Authorization: Bearer ${admin}`],
  }
  return (credentials: Credentials) => headers[credentials]
}
