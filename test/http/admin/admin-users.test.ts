// /admin/users: creating, reading, listing and deleting accounts.

import { randomUUID } from 'node:crypto'
import argon2 from 'argon2'
import { test } from 'tap'
import { watchHashing } from '../../scenes/watched-hashing.ts'
import { logIn, startApp, type TestApp } from '../../support/app.ts'
import { until } from '../../support/until.ts'

interface UserJson {
  readonly id: string
  readonly username: string
}

const ALICE = { username: 'Alice', email: 'alice@example.org', password: 'correct horse' }

async function create(app: TestApp, body: unknown): Promise<UserJson> {
  const answer = await app.admin('POST', '/admin/users', body)
  if (answer.status !== 201) throw new Error(await answer.text())
  return (await answer.json()) as UserJson
}

async function list(app: TestApp, query = '') {
  const answer = await app.admin('GET', `/admin/users${query}`)
  return (await answer.json()) as { items: UserJson[]; nextCursor: string | null; code?: string }
}

test('creates a user with everything that was given, and says where', async (t) => {
  const app = await startApp(t)
  const id = randomUUID()
  const given = { ...ALICE, id: id.toUpperCase(), emailVerified: true, roles: ['a:b', 'C.d_-'] }
  const answer = await app.admin('POST', '/admin/users', given)
  t.equal(answer.status, 201)
  t.equal(answer.headers.get('location'), `/admin/users/${id}`)
  const created = await answer.json()
  t.match(created, { id, username: 'Alice', emailVerified: true, roles: ['a:b', 'C.d_-'] })
  t.same(Object.keys(created as object), [
    'id',
    'username',
    'email',
    'emailVerified',
    'status',
    'roles',
    'createdAt',
    'updatedAt',
    'passwordChangedAt',
  ])
  for (const same of [id, id.toUpperCase()]) {
    t.same(await (await app.admin('GET', `/admin/users/${same}`)).json(), created)
  }
})

test('imports an argon2id hash, which is hashed anew at the first login', async (t) => {
  const app = await startApp(t, {
    config: { argon2: { memoryKib: 2048, time: 1, parallelism: 1 } },
  })
  const { password, ...names } = ALICE
  const cost = { memoryCost: 1024, timeCost: 1, parallelism: 1 }
  const passwordHash = await argon2.hash(password, cost)
  const { id } = await create(app, { ...names, passwordHash })
  t.ok(await logIn(app, await app.makeClient({}), ALICE))
  const found = await app.service.users.findCredentials(id as never)
  t.match(found?.passwordHash, /\$m=2048,/)
})

test('from an import on, every login is as dear as the dearest imported hash', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({})
  const passwordHash = await argon2.hash('x', { memoryCost: 512, timeCost: 3, parallelism: 2 })
  const { costs } = watchHashing(t)
  const form = { grant_type: 'password', client_id: client.id, password: 'wrong horse' }
  const refuse = async (username: string, at = app) =>
    t.equal((await at.form('/token', { ...form, username })).status, 400)
  await refuse('nobody')
  await create(app, { username: 'imported', email: 'i@example.org', passwordHash })
  for (const username of ['nobody', 'imported']) await refuse(username)
  const both = ['argon2id m=1024,t=1,p=1', 'argon2id m=512,t=3,p=2']
  t.strictSame(costs, [both[0], ...both, ...both])
  await refuse('nobody', await startApp(t, { beside: app }))
  t.strictSame(costs.slice(5), both, 'an instance knows them from its start')
})

test('422 names what a new user must not be', async (t) => {
  const app = await startApp(t)
  const { password, ...names } = ALICE
  const passwordHash = '$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHQ$dG9vc2hvcnQ'
  const refused: [unknown, string][] = [
    [names, '/password'],
    [{ ...ALICE, passwordHash }, '/password'],
    [{ ...names, passwordHash }, '/passwordHash'],
    [{ ...names, passwordHash: '$2b$12$abcdefghijklmnopqrstuu' }, '/passwordHash'],
    [{ ...ALICE, password: 'short' }, '/password'],
    [{ ...ALICE, id: '00000000-0000-0000-0000-000000000000' }, '/id'],
    [{ ...ALICE, id: 'c_1' }, '/id'],
    [{ ...ALICE, username: 'a@b' }, '/username'],
    [{ ...ALICE, email: 'nul\0@example.org' }, '/email'],
    [{ ...ALICE, emailVerified: 'true' }, '/emailVerified'],
    [{ ...ALICE, status: 'active' }, '/status'],
    [{ ...ALICE, roles: ['a', 'a'] }, '/roles'],
    [{ ...ALICE, roles: Array.from({ length: 33 }, (_, i) => `r${i}`) }, '/roles'],
    [{ ...ALICE, roles: ['ok', 'a b'] }, '/roles/1'],
    [{ ...ALICE, roles: ['a'.repeat(65)] }, '/roles/0'],
    [{ ...ALICE, roles: [''] }, '/roles/0'],
    [{ ...ALICE, roles: ['a\n'] }, '/roles/0'],
  ]
  for (const [body, pointer] of refused) {
    const answer = await app.admin('POST', '/admin/users', body)
    t.equal(answer.status, 422, pointer)
    t.match(await answer.json(), { code: 'validation_failed', errors: [{ pointer }] })
  }
  t.same((await list(app)).items, [])
})

test('409 for a taken name and for any id that was ever used', async (t) => {
  const app = await startApp(t)
  const { id } = await create(app, ALICE)
  const bob = { ...ALICE, username: 'bob', email: 'bob@example.org' }
  const refusal = async (body: unknown) => {
    const answer = await app.admin('POST', '/admin/users', body)
    t.equal(answer.status, 409)
    return await answer.json()
  }
  const taken = (pointer: string) => ({ code: 'conflict', errors: [{ pointer }] })
  t.match(await refusal({ ...bob, username: 'ALICE' }), taken('/username'))
  t.match(await refusal({ ...bob, email: 'ALICE@EXAMPLE.ORG' }), taken('/email'))
  t.match(await refusal({ ...bob, id }), taken('/id'))
  await remove(app, id)
  t.match(await refusal({ ...bob, id }), taken('/id'))
  await create(app, ALICE)
})

test('lists are paged, oldest first, and filtered exactly by key', async (t) => {
  const app = await startApp(t)
  const names = ['u1', 'u2', 'u3', 'u4', 'u5']
  const created: UserJson[] = []
  for (const username of names) {
    created.push(await create(app, { ...ALICE, username, email: `${username}@example.org` }))
  }
  const seen: string[] = []
  let cursor: string | null = null
  do {
    const page = await list(app, `?limit=2${cursor ? `&cursor=${cursor}` : ''}`)
    t.ok(page.items.length <= 2)
    seen.push(...page.items.map(({ username }) => username))
    cursor = page.nextCursor
  } while (cursor)
  t.same(seen, names)

  const [, second] = created
  await app.admin('PATCH', `/admin/users/${second?.id}`, { status: 'disabled' })
  const named = async (query: string) => (await list(app, query)).items.map((user) => user.username)
  t.same(await named('?username=U1'), ['u1'])
  t.same(await named('?email=U3%40Example.org'), ['u3'])
  t.same(await named('?username=u1&email=u3%40example.org'), [])
  t.same(await named('?status=disabled'), ['u2'])
  t.same(await named('?status=active&username=u2'), [])
  t.same(await named('?username=u'), [])
  t.same(await named('?username=%00'), [], 'what cannot be a name matches nobody')
  for (const query of [
    '?status=deleted',
    '?status=',
    '?limit=0',
    '?limit=201',
    '?username=a&username=b',
  ]) {
    const answer = await app.admin('GET', `/admin/users${query}`)
    t.match(await answer.json(), { status: 400, code: 'invalid_query' }, query)
  }
  t.match(await list(app, '?cursor=x'), { status: 400, code: 'invalid_cursor' })
})

test('a deleted user is gone, and deleting is 204 for any id', async (t) => {
  const app = await startApp(t)
  const { id } = await create(app, ALICE)
  for (const any of [id, id, randomUUID(), 'no-uuid', '0']) {
    const answer = await app.admin('DELETE', `/admin/users/${any}`)
    t.equal(answer.status, 204, any)
    t.equal(await answer.text(), '')
  }
  t.same((await list(app)).items, [])
  const client = await app.makeClient({})
  await t.rejects(logIn(app, client, ALICE))
})

/** A busy machine may answer 503, which asks for a repetition. */
async function remove(app: TestApp, id: string): Promise<void> {
  await until('it is deleted', async () => {
    return (await app.admin('DELETE', `/admin/users/${id}`)).status === 204
  })
}

test('an unknown, malformed or deleted id is 404', async (t) => {
  const app = await startApp(t)
  const { id: deleted } = await create(app, ALICE)
  await remove(app, deleted)
  for (const id of [randomUUID(), 'no-uuid', '0', deleted, 'a'.repeat(5_000)]) {
    const path = `/admin/users/${id}`
    const answers = [
      await app.admin('GET', path),
      await app.admin('PATCH', path, { roles: [] }),
      await app.admin('PUT', `${path}/password`, { password: 'correct horse' }),
    ]
    for (const answer of answers) {
      t.equal(answer.status, 404)
      t.match(await answer.json(), { code: 'not_found' })
    }
  }
})
