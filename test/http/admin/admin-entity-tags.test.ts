// ETag and If-Match on what administrators edit: nobody overwrites what they have not seen.

import { type Test, test } from 'tap'
import { startApp, type TestApp } from '../../support/app.ts'

async function open(t: Test) {
  const app = await startApp(t)
  const user = await app.makeUser()
  const client = await app.makeClient({})
  return { app, paths: [`/admin/users/${user.id}`, `/admin/clients/${client.id}`] }
}

async function send(app: TestApp, method: string, path: string, ifMatch?: string, body?: object) {
  const token = await app.adminToken()
  return await app.fetch(path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
}

function changeOf(path: string, value: string): object {
  return path.includes('users') ? { email: `${value}@example.test` } : { name: value }
}

test('a tag names one state: equal for equal, another after a change (RFC 9110 §8.8.3)', async (t) => {
  const { app, paths } = await open(t)
  for (const path of paths) {
    const first = (await send(app, 'GET', path)).headers.get('etag') ?? ''
    t.match(first, /^"[\w-]{22}"$/, path)
    t.equal((await send(app, 'GET', path)).headers.get('etag'), first)
    const changed = await send(app, 'PATCH', path, undefined, changeOf(path, 'one'))
    t.not(changed.headers.get('etag'), first)
    t.equal((await send(app, 'GET', path)).headers.get('etag'), changed.headers.get('etag'))
  }
})

test('If-Match lets the present state pass and refuses any other (RFC 9110 §13.1.1)', async (t) => {
  const { app, paths } = await open(t)
  for (const path of paths) {
    const read = (await send(app, 'GET', path)).headers.get('etag') ?? ''
    t.equal((await send(app, 'PATCH', path, read, changeOf(path, 'two'))).status, 200)
    for (const stale of [read, `W/${read}`, '"other"', '']) {
      const refused = await send(app, 'PATCH', path, stale, changeOf(path, 'three'))
      t.equal(refused.status, 412, stale)
      t.match(await refused.json(), { code: 'precondition_failed', status: 412 })
    }
    t.equal((await send(app, 'DELETE', path, read)).status, 412)
    const present = await send(app, 'GET', path)
    t.match(await present.json(), changeOf(path, 'two'), 'nothing was changed')
    const now = present.headers.get('etag') ?? ''
    t.equal((await send(app, 'PATCH', path, '*', changeOf(path, 'two'))).status, 200)
    t.ok([204, 412].includes((await send(app, 'DELETE', path, `"x", ${now}`)).status))
  }
})

test('of two administrators who read the same state one wins', async (t) => {
  const { app, paths } = await open(t)
  for (const path of paths) {
    const read = (await send(app, 'GET', path)).headers.get('etag') ?? ''
    const answers = await Promise.all(
      ['a', 'b', 'c', 'd'].map((name) => send(app, 'PATCH', path, read, changeOf(path, name))),
    )
    const statuses = answers.map((answer) => answer.status).sort()
    t.strictSame(statuses, [200, 412, 412, 412], path)
  }
})
