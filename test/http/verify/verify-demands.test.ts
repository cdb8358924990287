// What a gateway demands at /verify is read from one place, and refused where it is not clear
// (docs/semantics.md §10): from the query on exact /verify, from headers below it.

import fc from 'fast-check'
import { test } from 'tap'
import { API, ask, openVerifyScene } from '../../scenes/verify-scene.ts'

const OTHER = 'https://other.example.test'

/** What is demanded of a token with scope `read write` for API, and the answer. */
const DEMANDS: readonly (readonly [demands: Record<string, string>, status: number])[] = [
  [{}, 200],
  [{ scope: 'read' }, 200],
  [{ scope: 'write read' }, 200],
  [{ scope: 'read read' }, 200],
  [{ scope: 'read', audience: API }, 200],
  [{ audience: `${OTHER} ${API}` }, 200],
  [{ cookie: '1', scope: 'read' }, 200],

  [{ scope: 'delete' }, 403],
  [{ scope: 'read delete' }, 403],
  [{ scope: 'Read' }, 403],
  [{ scope: 'rea' }, 403],
  [{ scope: 'constructor' }, 403],
  [{ scope: '-' }, 403],
  [{ scope: 'delete', audience: API }, 403],

  [{ audience: OTHER }, 401],
  [{ audience: `${API}/` }, 401],
  [{ audience: API.toUpperCase() }, 401],
  [{ audience: '-' }, 401],
  [{ audience: OTHER, scope: 'delete' }, 401],

  // Meant, and not clear.
  [{ scope: '' }, 401],
  [{ scope: '  ' }, 401],
  [{ scope: 'read\twrite' }, 401],
  [{ scope: 'read"' }, 401],
  [{ scope: 'ré' }, 401],
  [{ audience: '' }, 401],
  [{ audience: `${API}\t${OTHER}` }, 401],
  [{ cookie: '' }, 401],
  [{ cookie: '0' }, 401],
  [{ cookie: 'true' }, 401],
  [{ cookie: '1 1' }, 401],
]

const HEADERS: Record<string, string> = {
  scope: 'X-Auth-Require-Scope',
  audience: 'X-Auth-Require-Audience',
  cookie: 'X-Auth-Cookie',
}

const toCharacter = (code: number) => String.fromCharCode(code)
const isHeader = (code: number) => code !== 0x7f

test('all scopes and one of the audiences are needed, by query and by headers', async (t) => {
  const scene = await openVerifyScene(t)
  for (const [demands, status] of DEMANDS) {
    const what = JSON.stringify(demands)
    const byQuery = await scene.verify(`/verify?${new URLSearchParams(demands)}`)
    t.equal(byQuery.status, status, `query ${what}`)
    const lines = Object.entries(demands).map(([name, value]) => `${HEADERS[name]}: ${value}`)
    const byHeaders = await ask(scene, 'POST /verify/x', lines)
    t.equal(byHeaders?.status, status, `headers ${what}`)
    const challenge =
      status === 403
        ? `Bearer error="insufficient_scope", scope="${demands.scope}"`
        : 'Bearer error="invalid_token"'
    if (status !== 200) t.equal(byHeaders?.headers['www-authenticate'], challenge, what)
    if (status !== 200) t.equal(byQuery.headers.get('www-authenticate'), challenge, what)
  }
  const expected = ['demand_malformed', 'audience_missing', 'scope_missing']
  t.strictSame(new Set(scene.reasons()), new Set(expected))
})

test('a query that is not one clean set of demands refuses', async (t) => {
  const scene = await openVerifyScene(t)
  for (const [query, status] of [
    ['', 200],
    ['?', 200],
    ['?&&', 200],
    ['?scope=read%20write', 200],
    ['?sc%6fpe=re%61d', 200],
    ['?scope=read&scope=read', 401],
    ['?scope=read&sc%6Fpe=delete', 401],
    ['?scope=read&scope', 401],
    [`?audience=${API}&audience=${API}`, 401],
    ['?cookie=1&cookie=1', 401],
    ['?scope', 401],
    ['?=read', 401],
    ['?scope=%', 401],
    ['?scope=read%2', 401],
    ['?scope=%zz', 401],
    ['?%zz=read', 401],
    ['?scope=%ff', 401],
    ['?scope=read%00', 401],
    ['?scopes=read', 401],
    ['?Scope=read', 401],
    ['?scope[]=read', 401],
    ['?scope%20=read', 401],
    ['?require-scope=read', 401],
    ['?__proto__=read', 401],
    ['?constructor=read', 401],
    ['?toString', 401],
    ['?scope=read#', 401],
    ['#?scope=delete', 404],
    ['?scope=read?scope=delete', 403],
    ['?scope=read;scope=delete', 403],
    [`?scope=${'delete+'.repeat(1_500)}`, 403],
  ] as const) {
    t.equal((await ask(scene, `GET /verify${query}`))?.status, status, query.slice(0, 60))
    t.equal((await ask(scene, `GET http://x/verify${query}`))?.status, 404, 'absolute-form')
  }
})

test('a demand in headers that came twice, or has a comma, refuses', async (t) => {
  const scene = await openVerifyScene(t)
  for (const lines of [
    ['X-Auth-Require-Scope: read', 'X-Auth-Require-Scope: read'],
    ['X-Auth-Require-Scope: read', 'x-auth-require-scope:'],
    ['X-Auth-Require-Scope: delete', ...Array(2_100).fill('a:'), 'X-AUTH-REQUIRE-SCOPE: read'],
    ['X-Auth-Require-Scope: read,write'],
    ['X-Auth-Require-Scope: ,'],
    [`X-Auth-Require-Audience: ${API}`, `X-Auth-Require-Audience: ${API}`],
    [`X-Auth-Require-Audience: ${API}, ${OTHER}`],
    ['X-Auth-Cookie: 1', 'X-Auth-Cookie: 1'],
    ['X-Auth-Cookie: 1,1'],
  ]) {
    const answer = await ask(scene, 'GET /verify/x', lines)
    t.equal(answer?.status, 401, lines.at(-1))
    t.equal(answer?.headers['www-authenticate'], 'Bearer error="invalid_token"')
  }
  t.strictSame(new Set(scene.reasons()), new Set(['demand_malformed']))
})

test('headers demand nothing of exact /verify, the query nothing below it', async (t) => {
  const scene = await openVerifyScene(t)
  const headers = Object.values(HEADERS).map((name) => `${name}: nothing,like,this`)
  t.equal((await ask(scene, 'GET /verify?scope=read', headers))?.status, 200)
  for (const path of ['/verify/', '/verify/x', '/verify//', '/verify/verify']) {
    for (const query of ['scope=delete', 'scope=read&scope=read', 'cookie=2', '%zz', 'a=b']) {
      t.equal((await ask(scene, `GET ${path}?${query}`))?.status, 200, `${path}?${query}`)
    }
  }
})

test('without a token a bad demand is met by a bare challenge (C107)', async (t) => {
  const { verify } = await openVerifyScene(t)
  const challenge = async (headers: Record<string, string>) => {
    const answer = await verify('/verify?scope=read&scope=read', { headers })
    t.equal(answer.status, 401)
    return answer.headers.get('www-authenticate')
  }
  t.equal(await challenge({ authorization: '' }), 'Bearer')
  t.equal(await challenge({ authorization: '', cookie: 'theme=dark' }), 'Bearer')
  t.equal(await challenge({ authorization: 'Basic eDp5' }), 'Bearer', 'another scheme')
  t.equal(await challenge({ authorization: 'Bearer x' }), 'Bearer error="invalid_token"')
})

test('whatever begins with /verify/ is verified, as it stands and never decoded', async (t) => {
  const scene = await openVerifyScene(t)
  const below = [
    '',
    '/',
    '//',
    '.',
    '..',
    '../token',
    '%2e%2e/x',
    '%2e%2e%2f%2e%2e%2ftoken',
    '%',
    '%zz',
    '%2',
    '%00',
    '%ff%fe',
    '*',
    ':id',
    'a;b',
    'a#b',
    '?',
    '?#',
    '?%zz',
    'a?b=%zz',
    '/verify',
    '"<>`{}|\\^',
    'http://other/',
    '@other',
    'a'.repeat(12_000),
    '%25'.repeat(4_000),
    '/'.repeat(12_000),
  ]
  for (const path of below) {
    for (const start of ['/verify/', 'http://x/verify/', 'HTTP://x:80/verify/']) {
      const answer = await ask(scene, `GET ${start}${path}`)
      t.equal(answer?.status, 200, `${start}${path.slice(0, 30)}`)
      const refused = await ask({ ...scene, token: 'x' }, `GET ${start}${path}`)
      t.equal(refused?.status, 401, `${start}${path.slice(0, 30)}`)
    }
  }
})

test('no path, query, demand or method gets any other answer than 200, 401 or 403', async (t) => {
  const scene = await openVerifyScene(t)
  // llhttp takes these as a target; a space would end it.
  const target = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map(toCharacter) })
  const value = fc.string({
    unit: fc.integer({ min: 0x20, max: 0xff }).filter(isHeader).map(toCharacter),
  })
  const header = fc.tuple(fc.constantFrom(...Object.values(HEADERS), 'X-Forwarded-Method'), value)
  const method = fc.constantFrom('GET', 'POST', 'OPTIONS', 'PURGE', 'QUERY')
  const root = fc.constantFrom('/verify/', '/verify?', '/verify?scope=', '/verify?audience=')
  const headers = fc.array(header, { maxLength: 4 })
  const property = fc.asyncProperty(
    method,
    root,
    target,
    headers,
    async (verb, start, end, given) => {
      const lines = given.map(([name, text]) => `${name}: ${text}`)
      const answer = await ask(scene, `${verb} ${start}${end}`, lines)
      return [200, 401, 403].includes(answer?.status ?? 0)
    },
  )
  await t.resolves(fc.assert(property, { numRuns: 300 }))
})

test('what only looks like it is not verified', async (t) => {
  const scene = await openVerifyScene(t)
  for (const path of [
    '/verifyx',
    '/Verify',
    '/verify%2fx',
    '/verify;x',
    '//verify',
    '//verify/x',
  ]) {
    t.equal((await ask(scene, `GET ${path}`))?.status, 404, path)
  }
})
