// JSON endpoints under bodies, media types, ids and queries that mean harm or nothing: who asks is
// checked first, then the media type, then the text, then what it says (docs/semantics.md §16).

import { randomUUID } from 'node:crypto'
import { type Test, test } from 'tap'
import { ADMIN, startApp, type TestApp } from '../../support/app.ts'
import {
  exchange,
  isProblem,
  JSON_TYPE,
  readJson,
  type WireAnswer,
  write,
} from '../../support/hostile-wire.ts'

type Send = (
  start: string,
  body?: string | Buffer,
  headers?: readonly string[],
) => Promise<WireAnswer | undefined>

async function openAdmin(t: Test): Promise<{ app: TestApp; send: Send }> {
  const app = await startApp(t)
  const answer = await app.form('/token', {
    grant_type: 'client_credentials',
    client_id: ADMIN.id,
    client_secret: ADMIN.secret,
  })
  const { access_token: token } = (await answer.json()) as { access_token: string }
  const send: Send = async (start, body, headers = body === undefined ? [] : [JSON_TYPE]) => {
    const bearer = `Authorization: Bearer ${token}`
    return (await exchange(app.url, write(start, [bearer, ...headers], body)))[0]
  }
  return { app, send }
}

test('who has no token hears 401 before anything about the body', async (t) => {
  const { url } = await startApp(t)
  for (const path of ['POST /admin/users', 'PATCH /admin/clients/x', 'POST /users/me/password']) {
    for (const [headers, body] of [
      [['Content-Type: text/plain'], 'x'],
      [['Content-Type: evil'], 'x'],
      [[JSON_TYPE], '{'],
      [[JSON_TYPE], '[]'],
      [[JSON_TYPE], 'a'.repeat(70_000)],
    ] as const) {
      const [answer] = await exchange(url, write(path, headers, body))
      t.equal(answer?.status, 401, path)
      t.equal(answer?.headers['www-authenticate'], 'Bearer', 'a bare challenge (C107)')
      isProblem(t, answer, path)
    }
  }
  const [inQuery] = await exchange(url, write('GET /users/me?access_token=x'))
  t.equal(inQuery?.headers['www-authenticate'], 'Bearer', 'a token in the query is none (C107)')
})

test('what is not JSON in UTF-8 is 400, and what says the wrong thing is 422', async (t) => {
  const { send } = await openAdmin(t)
  const user = '"username":"someone","email":"someone@example.test","password":"long enough"'
  const latin1 = Buffer.from(`{${user.replace('long', 'l\xf6ng')}}`, 'latin1')
  const cases: [what: string, status: number, body: string | Buffer][] = [
    ['nothing, as if without a media type', 422, ''],
    ['white space', 400, ' \n'],
    ['half of it', 400, `{${user}`],
    ['more than one', 400, `{${user}}{}`],
    ['a comment', 400, `{${user}/**/}`],
    ['another number', 400, '{"username":NaN}'],
    ['a control character', 400, '{"username":"\u0001"}'],
    ['Latin-1', 400, latin1],
    ['UTF-16', 400, Buffer.from(`{${user}}`, 'utf16le')],
    ['an overlong encoding', 400, Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ['null', 422, 'null'],
    ['an array', 422, '[]'],
    ['a text', 422, '"evil"'],
    ['a huge number', 422, '{"username":1e999}'],
    ['30000 levels of arrays', 422, '['.repeat(30_000) + ']'.repeat(30_000)],
    ['10000 levels of objects', 422, `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
    ['6000 unknown members', 422, `{${Array.from({ length: 6_000 }, (_, at) => `"a${at}":1`)}}`],
    ['__proto__', 422, `{${user},"__proto__":{"status":"disabled"}}`],
    ['constructor', 422, `{${user},"constructor":{"prototype":{"x":1}}}`],
    ['__proto__ within', 422, `{${user},"roles":[{"__proto__":1}]}`],
    ['a lone surrogate in a name', 422, `{${user.replace('someone', 'some\\ud800')}}`],
    ['a lone surrogate in a password', 422, `{${user.replace('enough', '\\udc00nough')}}`],
    ['NUL in a name', 422, `{${user.replace('someone', 'some\\u0000')}}`],
    ['NUL in an email', 422, `{${user.replace('someone@', 'some\\u0000@')}}`],
    ['an unknown member', 422, `{${user},"<evil>":1}`],
    ['the nil UUID', 422, `{${user},"id":"00000000-0000-0000-0000-000000000000"}`],
  ]
  for (const [what, status, body] of cases) {
    const answer = await send('POST /admin/users', body)
    t.equal(answer?.status, status, what)
    isProblem(t, answer, what)
    t.notMatch(answer?.body, /evil/, what)
  }
  const none = await send('POST /admin/users')
  t.equal(none?.status, 422, 'no body at all')
  const listed = await send('GET /admin/users')
  t.strictSame(readJson(listed), { items: [], nextCursor: null }, 'nobody was made')
  const bom = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(`{${user}}`)])
  t.equal((await send('POST /admin/users', bom))?.status, 201, 'a BOM is skipped (RFC 8259 §8.1)')
})

test('only JSON and merge patches are read; a DELETE needs no body', async (t) => {
  const { send } = await openAdmin(t)
  const path = `/admin/users/${randomUUID()}`
  for (const type of ['text/plain', 'text/json', 'application/jsonp', 'a/b', 'evil', '']) {
    const answer = await send(`PATCH ${path}`, '{}', [`Content-Type: ${type}`])
    t.equal(answer?.status, 415, type)
    isProblem(t, answer, type)
  }
  const untyped = await send(`PATCH ${path}`, '{}', [])
  t.equal(untyped?.status, 415, 'a body without a media type')
  for (const type of ['application/merge-patch+json', 'APPLICATION/JSON ; charset=utf-8']) {
    const answer = await send(`PATCH ${path}`, '{}', [`Content-Type: ${type}`])
    t.equal(answer?.status, 404, type)
  }
  for (const start of [`DELETE ${path}`, 'DELETE /admin/clients/x', 'DELETE /admin/users/0']) {
    t.equal((await send(start))?.status, 204, start)
    t.equal((await send(start, '', [JSON_TYPE]))?.status, 204, 'with a media type for nothing')
  }
})

test('where nothing need be said an empty body is none, whatever its media type', async (t) => {
  const { app, send } = await openAdmin(t)
  const { id } = await app.makeClient({ type: 'confidential', grantTypes: ['client_credentials'] })
  const webhook = { url: 'https://hooks.example.com/', events: ['user.created'] }
  const made = await send('POST /admin/webhooks', JSON.stringify(webhook))
  for (const [start, status] of [
    ['POST /admin/keys/rotate', 201],
    [`POST /admin/clients/${id}/secrets`, 201],
    [`POST /admin/webhooks/${readJson(made).id}/secret`, 201],
    [`POST /admin/webhooks/${readJson(made).id}/test`, 202],
    ['POST /admin/users', 422],
  ] as const) {
    t.equal((await send(start, '', [JSON_TYPE]))?.status, status, start)
  }
})

test('ids that nobody can have are 404, and 204 to DELETE', async (t) => {
  const { send } = await openAdmin(t)
  const ids = ['x', 'a:b@c', '...', '__proto__', 'constructor', 'a'.repeat(7000)]
  for (const id of [...ids, randomUUID(), ADMIN.id]) {
    for (const path of [`/admin/users/${id}`, `/admin/clients/${id}`]) {
      t.equal((await send(`GET ${path}`))?.status, 404, `GET ${path}`)
      t.equal((await send(`PATCH ${path}`, '{}'))?.status, 404, `PATCH ${path}`)
      t.equal((await send(`DELETE ${path}`))?.status, 204, `DELETE ${path}`)
    }
    const password = '{"password":"long enough"}'
    t.equal((await send(`PUT /admin/users/${id}/password`, password))?.status, 404)
    t.equal((await send(`POST /admin/clients/${id}/secrets`))?.status, 404)
    t.equal((await send(`DELETE /admin/clients/${id}/secrets/${id}`))?.status, 204)
    t.equal((await send(`DELETE /admin/clients/${id}/sessions`))?.status, 204)
  }
  t.equal((await send('GET /admin/keys'))?.status, 200, 'the bootstrap client is still there')
})

test('queries that no list gave out are 400 at every list', async (t) => {
  const { send } = await openAdmin(t)
  const cursor = (text: string) => `cursor=${Buffer.from(text).toString('base64url')}`
  const limits = ['0', '201', '-1', '%2B1', '0x10', '1e2', '1.0', '%20', '%D9%A3', '9999999']
  const bad = [
    ...limits.map((limit) => `limit=${limit}`),
    'limit=',
    'limit=1&limit=2',
    'cursor=',
    'cursor=%00',
    `${cursor('1 x')}&${cursor('1 x')}`,
    cursor('x'),
    cursor('-1 x'),
    cursor('1 \u0000'),
    cursor('9999999999999999 x'),
    `${cursor('1 x')}%3D`,
    `cursor=${'A'.repeat(9000)}`,
  ]
  for (const list of ['/admin/users', '/admin/clients', '/admin/keys']) {
    for (const query of bad) {
      const answer = await send(`GET ${list}?${query}`)
      t.equal(answer?.status, 400, `${list}?${query.slice(0, 40)}`)
      isProblem(t, answer, query.slice(0, 40))
    }
    t.equal((await send(`GET ${list}?limit=200`))?.status, 200)
    t.equal((await send(`GET ${list}?limit=200&limit[]=0`))?.status, 400)
  }
  // Ids that such a list never holds, which PostgreSQL would refuse as no UUID.
  for (const id of ['x', "';--", randomUUID().toUpperCase()]) {
    t.equal((await send(`GET /admin/users?${cursor(`1 ${id}`)}`))?.status, 400, id)
  }
  const forged = await send(`GET /admin/users?${cursor(`999999999999999 ${randomUUID()}`)}`)
  t.strictSame(readJson(forged), { items: [], nextCursor: null }, 'a cursor far ahead')
  for (const query of ['status=x', 'status=deleted', 'status=', 'username=a&username=b']) {
    t.equal((await send(`GET /admin/users?${query}`))?.status, 400, query)
  }
  t.equal((await send('GET /admin/users?__proto__=x'))?.status, 400)
  for (const query of ['username=%00', 'email=%ff%fe', 'username=', 'email=a']) {
    t.equal((await send(`GET /admin/users?${query}`))?.status, 200, query)
  }
})
