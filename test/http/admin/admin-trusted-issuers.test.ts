// /admin/trusted-issuers: what may be said of an issuer, where a change is in force, and what is recorded
// of it.

import { test } from 'tap'
import { ISSUER, startApp, type TestApp } from '../../support/app.ts'
import { readEvents, waitForEvent } from '../../support/audit.ts'
import { until } from '../../support/until.ts'

const PATH = '/admin/trusted-issuers'
const GITHUB = {
  id: 'github',
  issuer: 'https://token.actions.githubusercontent.com',
  kind: 'github',
  jwksUri: 'https://token.actions.githubusercontent.com/.well-known/jwks',
}

async function send(app: TestApp, method: string, path: string, body?: unknown) {
  const answer = await app.admin(method, path, body)
  const text = await answer.text()
  return { status: answer.status, answer, body: text === '' ? undefined : JSON.parse(text) }
}

test('an issuer is made with its defaults, seen, changed and deleted', async (t) => {
  const app = await startApp(t)
  const made = await send(app, 'POST', PATH, GITHUB)
  t.equal(made.status, 201)
  t.equal(made.answer.headers.get('location'), `${PATH}/github`)
  const { createdAt, updatedAt, ...members } = made.body
  t.match([createdAt, updatedAt], [String, String])
  t.strictSame(members, {
    ...GITHUB,
    jwks: null,
    allowPrivateNetwork: false,
    audience: ISSUER,
    algs: [],
    replay: 'single_use',
    subjects: null,
  })
  const seen = await send(app, 'GET', `${PATH}/github`)
  t.strictSame(seen.body, made.body)
  const tag = seen.answer.headers.get('etag') ?? ''
  const changed = await send(app, 'PATCH', `${PATH}/github`, { audience: 'https://ci.example' })
  t.match(changed, { status: 200, body: { audience: 'https://ci.example' } })
  const back = await send(app, 'PATCH', `${PATH}/github`, { audience: null })
  t.match(back, { status: 200, body: { audience: ISSUER } })
  const late = await app.fetch(`${PATH}/github`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${await app.adminToken()}`, 'if-match': tag },
  })
  t.equal(late.status, 412, 'it has changed since')
  t.equal((await send(app, 'DELETE', `${PATH}/github`)).status, 204)
  t.equal((await send(app, 'DELETE', `${PATH}/github`)).status, 204)
  t.equal((await send(app, 'GET', `${PATH}/github`)).status, 404)
})

test('a pod may present its token again by default, a SPIFFE workload where it is said, nobody else ever', async (t) => {
  const app = await startApp(t)
  for (const kind of ['kubernetes', 'github', 'gitlab', 'oidc']) {
    const issuer = `https://${kind}.example.test`
    const { body } = await send(app, 'POST', PATH, { ...GITHUB, id: kind, issuer, kind })
    t.equal(body.replay, kind === 'kubernetes' ? 'reusable' : 'single_use')
  }
  const spiffe = { id: 'mesh', issuer: 'spiffe://example.org', kind: 'spiffe' }
  const { status, body } = await send(app, 'POST', PATH, { ...GITHUB, ...spiffe })
  t.match({ status, replay: body.replay }, { status: 201, replay: 'single_use' })
  const reusable = await send(app, 'PATCH', `${PATH}/mesh`, { replay: 'reusable' })
  t.match(reusable, { status: 200, body: { replay: 'reusable' } })
  const refused = await send(app, 'PATCH', `${PATH}/github`, { replay: 'reusable' })
  t.match(refused, { status: 422, body: { errors: [{ pointer: '/replay' }] } })
})

test('what is not valid is refused with the place of each fault', async (t) => {
  const app = await startApp(t)
  const faults: readonly (readonly [pointer: string, members: object])[] = [
    ['/id', { id: 'with:colon' }],
    ['/id', { id: 'X' }],
    ['/id', { id: '0b9c3c3e-6f0e-4a54-9a0f-3c8c2b1e7d11' }],
    ['/issuer', { issuer: 'http://token.example.test' }],
    ['/issuer', { issuer: 'https://TOKEN.example.test' }],
    ['/issuer', { issuer: 'https://token.example.test:443' }],
    ['/issuer', { issuer: 'https://token.example.test/?a' }],
    ['/issuer', { issuer: 'https://user@token.example.test' }],
    ['/issuer', { issuer: 'https://tоken.example.test' }],
    ['/issuer', { issuer: 'spiffe://example.org' }],
    ['/issuer', { kind: 'spiffe' }],
    ['/issuer', { kind: 'spiffe', issuer: 'spiffe://example.org/path' }],
    ['/kind', { kind: 'jenkins' }],
    ['/jwks', { jwksUri: null }],
    ['/jwks', { jwks: { keys: [] } }],
    ['/audience', { audience: 'two words' }],
    ['/audience', { audience: '' }],
    ['/replay', { replay: 'always' }],
    ['/replay', { replay: 'reusable' }],
    ['/replay', { kind: 'gitlab', replay: 'reusable' }],
    ['/replay', { kind: 'oidc', replay: 'reusable' }],
    ['/subjects', { subjects: { mode: 'own', claim: 'sub' } }],
    ['/subjects/claim', { subjects: { mode: 'users', match: 'id' } }],
    ['/subjects/match', { subjects: { mode: 'users', claim: 'sub' } }],
    ['/subjects/mode', { subjects: { mode: 'anybody' } }],
    ['/secret', { secret: 'x' }],
  ]
  for (const [pointer, members] of faults) {
    const { status, body } = await send(app, 'POST', PATH, { ...GITHUB, ...members })
    t.match({ status, body }, { status: 422, body: { errors: [{ pointer }] } }, pointer)
  }
  await send(app, 'POST', PATH, GITHUB)
  for (const patch of [{ issuer: 'https://other.example.test' }, { kind: 'oidc' }, { id: 'x1' }]) {
    t.equal((await send(app, 'PATCH', `${PATH}/github`, patch)).status, 422, 'it stays what it is')
  }
})

test('an id and an issuer are there once, and there are a hundred at most', async (t) => {
  const app = await startApp(t)
  await send(app, 'POST', PATH, GITHUB)
  const sameId = await send(app, 'POST', PATH, { ...GITHUB, issuer: 'https://x.example.test' })
  t.match(sameId, { status: 409, body: { errors: [{ pointer: '/id' }] } })
  const sameIssuer = await send(app, 'POST', PATH, { ...GITHUB, id: 'again' })
  t.match(sameIssuer, { status: 409, body: { errors: [{ pointer: '/issuer' }] } })
  await app.service.management.trust.delete('github', {})
  for (let n = 0; n < 100; n += 1) {
    const issuer = `https://n${n}.example.test`
    const input = { id: `n${n}`, issuer, kind: 'oidc', jwksUri: GITHUB.jwksUri } as const
    await app.service.management.trust.create(input, {})
  }
  t.equal((await send(app, 'POST', PATH, GITHUB)).status, 409)
  const page = await send(app, 'GET', `${PATH}?limit=60`)
  const rest = await send(app, 'GET', `${PATH}?limit=60&cursor=${page.body.nextCursor}`)
  t.equal(rest.body.nextCursor, null)
  const ids = [...page.body.items, ...rest.body.items].map(({ id }) => id)
  t.equal(new Set(ids).size, 100)
})

test('a change is in force at once here, and by the poll elsewhere', async (t) => {
  const app = await startApp(t)
  const other = await startApp(t, { beside: app })
  await send(app, 'POST', PATH, GITHUB)
  t.equal(app.service.trustedIssuers.find('github')?.kind, 'github')
  t.equal(app.service.trustedIssuers.findByIssuer(GITHUB.issuer)?.id, 'github')
  await until('it is known there', async () => other.service.trustedIssuers.find('github'))
  await send(other, 'DELETE', `${PATH}/github`)
  t.notOk(other.service.trustedIssuers.find('github'))
  await until('it is gone here', async () => !app.service.trustedIssuers.find('github'))
})

test('every change is an event with who did it, and what changes nothing is none', async (t) => {
  const app = await startApp(t)
  await send(app, 'POST', PATH, GITHUB)
  await send(app, 'PATCH', `${PATH}/github`, {})
  await send(app, 'PATCH', `${PATH}/github`, { replay: 'single_use' })
  await send(app, 'PATCH', `${PATH}/github`, { algs: ['RS256'] })
  await send(app, 'DELETE', `${PATH}/github`)
  await send(app, 'DELETE', `${PATH}/github`)
  await app.makeUser()
  await waitForEvent(app, 'user.created')
  const types = 'trusted_issuer.created,trusted_issuer.updated,trusted_issuer.deleted'
  const events = (await readEvents(app, `&type=${types}`)).toReversed()
  const by = { trustedIssuer: 'github', by: 'bootstrap-admin' }
  t.strictSame(
    events.map(({ type, detail }) => ({ type, detail })),
    [
      { type: 'trusted_issuer.created', detail: by },
      { type: 'trusted_issuer.updated', detail: { ...by, changed: ['algs'] } },
      { type: 'trusted_issuer.deleted', detail: by },
    ],
  )
})
