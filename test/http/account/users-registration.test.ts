// POST /users: registration by oneself.

import { test } from 'tap'
import { logIn, startApp, type TestApp } from '../../support/app.ts'

const OPEN = { config: { registration: 'open' as const } }
const ALICE = { username: 'Alice', email: 'alice@example.org', password: 'correct horse' }

function register(app: TestApp, body: unknown, path = '/users'): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return app.fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
}

test('registers a user who can log in at once', async (t) => {
  const app = await startApp(t, OPEN)
  const answer = await register(app, ALICE)
  t.equal(answer.status, 201)
  t.equal(answer.headers.get('location'), '/users/me')
  t.equal(answer.headers.get('cache-control'), 'no-store')
  const user = (await answer.json()) as Record<string, unknown>
  const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
  t.match(user, {
    username: 'Alice',
    email: 'alice@example.org',
    emailVerified: false,
    status: 'active',
    roles: [],
    createdAt: moment,
    updatedAt: moment,
    passwordChangedAt: moment,
  })
  t.equal(Object.keys(user).length, 9, 'and nothing else')
  const client = await app.makeClient({})
  t.ok((await logIn(app, client, ALICE)).access_token)
})

test('is refused with registration_closed unless open, whatever the body', async (t) => {
  const app = await startApp(t)
  for (const body of [ALICE, {}, 'nonsense']) {
    const answer = await register(app, body)
    t.equal(answer.status, 403)
    t.match(answer.headers.get('content-type'), /^application\/problem\+json\b/)
    t.match(await answer.json(), { code: 'registration_closed', status: 403 })
  }
})

test('answers 409 for a taken name, by key, and names the member', async (t) => {
  const app = await startApp(t, OPEN)
  await register(app, ALICE)
  const pointerOf = async (body: unknown) => {
    const answer = await register(app, body)
    t.equal(answer.status, 409)
    const { errors } = (await answer.json()) as { errors: { pointer: string }[] }
    return errors.map(({ pointer }) => pointer)
  }
  t.same(await pointerOf({ ...ALICE, username: 'ａLICE', email: 'b@example.org' }), ['/username'])
  t.same(await pointerOf({ ...ALICE, username: 'bob', email: 'ALICE@example.org' }), ['/email'])
})

test('answers 422 that names every fault at once, and never repeats a value', async (t) => {
  const app = await startApp(t, OPEN)
  const pointersOf = async (body: unknown) => {
    const answer = await register(app, body)
    t.equal(answer.status, 422)
    const text = await answer.text()
    t.notOk(text.includes('s3cret'))
    const problem = JSON.parse(text) as { code: string; errors: { pointer: string }[] }
    t.equal(problem.code, 'validation_failed')
    return problem.errors.map(({ pointer }) => pointer).sort()
  }
  const allWrong = { username: 'a s3cret', email: 's3cret', password: 's3cret' }
  t.same(await pointersOf(allWrong), ['/email', '/password', '/username'])
  t.same(await pointersOf({ ...ALICE, password: 's3cret'.repeat(100) }), ['/password'])
  t.same(await pointersOf({ ...ALICE, password: 's3cret\ud800s3cret' }), ['/password'])
  t.same(await pointersOf({ ...ALICE, roles: ['lineage:admin'] }), ['/roles'], 'unknown members')
  t.same(await pointersOf({ ...ALICE, email: null, username: 7 }), ['/email', '/username'])
  t.same(await pointersOf({}), ['/email', '/password', '/username'])
  t.same(await pointersOf([]), [''])
})

test('an issuer with a path has it in Location too', async (t) => {
  const config = { ...OPEN.config, issuer: 'https://example.test/auth' }
  const app = await startApp(t, { config })
  const answer = await register(app, ALICE, '/auth/users')
  t.equal(answer.status, 201)
  t.equal(answer.headers.get('location'), '/auth/users/me')
})
