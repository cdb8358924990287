import { test } from 'tap'
import { ADMIN, startApp, type TestApp } from '../../support/app.ts'

const MINIMAL = { name: 'Back office', type: 'confidential', grantTypes: ['client_credentials'] }
const SECRET = /^lcs_[\w-]{43}$/

interface ClientAnswer {
  id: string
  clientSecret?: string
  secrets: { id: string; createdAt: string }[]
  [member: string]: unknown
}

async function create(app: TestApp, input: object = {}): Promise<ClientAnswer> {
  const answer = await app.admin('POST', '/admin/clients', { ...MINIMAL, ...input })
  if (answer.status !== 201) throw new Error(await answer.text())
  return (await answer.json()) as ClientAnswer
}

/** Status and, for a refusal, the code and the pointers of its problem document. */
async function outcomeOf(
  answer: Response,
): Promise<{ status: number; code?: string; pointers?: string[] }> {
  if (answer.ok) return { status: answer.status }
  const problem = (await answer.json()) as { code: string; errors?: { pointer: string }[] }
  const pointers = problem.errors?.map((error) => error.pointer)
  return { status: answer.status, code: problem.code, ...(pointers ? { pointers } : {}) }
}

test('creation answers 201, Location, the representation and the secret once', async (t) => {
  const app = await startApp(t)
  const answer = await app.admin('POST', '/admin/clients', { ...MINIMAL, scopes: ['a'] })
  t.equal(answer.status, 201)
  t.equal(answer.headers.get('cache-control'), 'no-store')
  const { clientSecret, ...client } = (await answer.json()) as ClientAnswer
  t.match(clientSecret, SECRET)
  t.equal(answer.headers.get('location'), `/admin/clients/${client.id}`)
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
  t.match(client, { id: /^c_/, createdAt: time, updatedAt: time })
  t.match(client.secrets, [{ id: /^[0-9a-f-]{36}$/, createdAt: time }])
  const { id, secrets, createdAt, updatedAt, ...rest } = client
  t.strictSame(Object.keys(secrets[0] ?? {}), ['id', 'createdAt'], 'no hash')
  t.strictSame(rest, {
    ...MINIMAL,
    scopes: ['a'],
    defaultScopes: [],
    audiences: [],
    authMethods: ['client_secret_basic', 'client_secret_post'],
    accessTokenTtlSeconds: 600,
    refreshIdleTtlSeconds: 1_209_600,
    refreshAbsoluteTtlSeconds: 7_776_000,
    refreshGraceSeconds: 30,
    tokenDelivery: 'body',
    accessTokenCookie: false,
    allowedOrigins: [],
    forwardsClientIp: false,
    requireFactor: false,
    jwks: null,
    jwksUri: null,
    allowPrivateNetwork: false,
    assertionAlgs: [],
    federatedIdentities: [],
    exchange: [],
    dpopBoundAccessTokens: false,
    tlsClientAuth: null,
    tlsClientCertificateBoundAccessTokens: false,
    refreshRotation: 'always',
    refreshRotateAfterSeconds: 0,
    signingAlg: null,
  })
  t.strictSame(await (await app.admin('GET', `/admin/clients/${id}`)).json(), client)
  t.notMatch(JSON.stringify(app.log), clientSecret)
})

test('a public client has no secret to show', async (t) => {
  const app = await startApp(t)
  const client = await create(app, { type: 'public', grantTypes: ['password'], id: 'web' })
  t.notOk('clientSecret' in client)
  t.match(client, { id: 'web', authMethods: ['none'], secrets: [] })
})

test('Location carries the path of the issuer', async (t) => {
  const app = await startApp(t, { config: { issuer: 'https://auth.example.test/tenant' } })
  const answer = await app.admin('POST', '/admin/clients', { ...MINIMAL, id: 'web' })
  t.equal(answer.headers.get('location'), '/tenant/admin/clients/web')
  t.equal((await app.admin('GET', '/admin/clients/web')).status, 200)
})

test('refuses what a client must not be with 422 and pointers, storing nothing', async (t) => {
  const app = await startApp(t)
  const cases: [input: object, pointers: string[]][] = [
    [
      { name: undefined, type: undefined, grantTypes: undefined },
      ['/name', '/type', '/grantTypes'],
    ],
    [{ name: null, type: 'other', grantTypes: ['magic'] }, ['/name', '/type', '/grantTypes/0']],
    [{ color: 'red', clientSecret: 'mine' }, ['/color', '/clientSecret']],
    [{ secrets: [], createdAt: 'now' }, ['/secrets', '/createdAt']],
    [
      { accessTokenTtlSeconds: '600', forwardsClientIp: 1 },
      ['/accessTokenTtlSeconds', '/forwardsClientIp'],
    ],
    [{ scopes: 'a b', audiences: [1] }, ['/scopes', '/audiences/0']],
    [{ scopes: ['a b'], audiences: [''] }, ['/scopes/0', '/audiences/0']],
    [{ defaultScopes: ['a'] }, ['/defaultScopes/0']],
    [{ authMethods: ['none'] }, ['/authMethods']],
    [{ type: 'public' }, ['/grantTypes']],
    [{ tokenDelivery: 'cookie' }, ['/allowedOrigins']],
    [{ refreshAbsoluteTtlSeconds: 60 }, ['/refreshIdleTtlSeconds']],
    [{ refreshGraceSeconds: 301 }, ['/refreshGraceSeconds']],
    [{ accessTokenTtlSeconds: 30 }, ['/accessTokenTtlSeconds']],
    [{ id: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee' }, ['/id']],
    [{ id: 'Web' }, ['/id']],
  ]
  for (const [input, pointers] of cases) {
    const outcome = await outcomeOf(
      await app.admin('POST', '/admin/clients', { ...MINIMAL, ...input }),
    )
    t.strictSame(
      { ...outcome, pointers: outcome.pointers?.sort() },
      {
        status: 422,
        code: 'validation_failed',
        pointers: pointers.sort(),
      },
      JSON.stringify(input),
    )
  }
  for (const body of [[], 'text', 1, null]) {
    t.match(await outcomeOf(await app.admin('POST', '/admin/clients', body)), { status: 422 })
  }
  const list = await (await app.admin('GET', '/admin/clients')).json()
  t.strictSame(list, { items: [], nextCursor: null })
})

test('an id that is taken is 409, that of the bootstrap client too', async (t) => {
  const app = await startApp(t)
  await create(app, { id: 'web' })
  for (const id of ['web', ADMIN.id]) {
    const answer = await app.admin('POST', '/admin/clients', { ...MINIMAL, id })
    t.strictSame(await outcomeOf(answer), { status: 409, code: 'conflict', pointers: ['/id'] })
  }
})

test('lists every client once, oldest first, page by page', async (t) => {
  const app = await startApp(t)
  const ids: string[] = []
  for (let count = 0; count < 5; count += 1) ids.push((await create(app)).id)
  const seen: string[] = []
  const sizes: number[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`
    const page = await app.admin('GET', `/admin/clients?limit=2${query}`)
    const body = (await page.json()) as { items: ClientAnswer[]; nextCursor: string | null }
    t.notOk(body.items.some((client) => 'clientSecret' in client))
    seen.push(...body.items.map((client) => client.id))
    sizes.push(body.items.length)
    cursor = body.nextCursor
  }
  t.strictSame(sizes, [2, 2, 1])
  t.strictSame([...seen].sort(), [...ids].sort())
  for (const query of ['limit=0', 'limit=201', 'limit=x', 'cursor=x']) {
    t.equal((await app.admin('GET', `/admin/clients?${query}`)).status, 400, query)
  }
})

test('a cursor of a far time is answered, not failed on', async (t) => {
  const app = await startApp(t)
  for (const ms of ['0', '253402300800000', '999999999999999']) {
    const cursor = Buffer.from(`${ms} x`).toString('base64url')
    const answer = await app.admin('GET', `/admin/clients?cursor=${cursor}`)
    t.ok([200, 400].includes(answer.status), `${ms}: ${answer.status}`)
  }
})

test('PATCH answers 200 with the representation; null puts a member back (RFC 7396)', async (t) => {
  const app = await startApp(t)
  const { clientSecret, ...client } = await create(app, { scopes: ['a'], refreshGraceSeconds: 5 })
  const path = `/admin/clients/${client.id}`
  const patch = { name: 'Renamed', scopes: ['b', 'c'], refreshGraceSeconds: null }
  const answer = await app.admin('PATCH', path, patch)
  t.equal(answer.status, 200)
  const patched = (await answer.json()) as ClientAnswer
  const { updatedAt } = patched
  t.strictSame(patched, { ...client, ...patch, refreshGraceSeconds: 30, updatedAt })
  t.strictSame(await (await app.admin('GET', path)).json(), patched)
})

test('PATCH refuses other members and what would leave a bad client', async (t) => {
  const app = await startApp(t)
  const client = await create(app, { scopes: ['a'], defaultScopes: ['a'] })
  const cases: [patch: object, pointers: string[]][] = [
    [{ id: 'other' }, ['/id']],
    [{ secrets: [] }, ['/secrets']],
    [{ createdAt: '2020-01-01T00:00:00.000Z' }, ['/createdAt']],
    [{ name: null }, ['/name']],
    [{ type: 'other' }, ['/type']],
    [{ scopes: [] }, ['/defaultScopes/0']],
    [{ type: 'public', authMethods: null }, ['/grantTypes']],
  ]
  for (const [patch, pointers] of cases) {
    const outcome = await outcomeOf(await app.admin('PATCH', `/admin/clients/${client.id}`, patch))
    t.strictSame(
      outcome,
      { status: 422, code: 'validation_failed', pointers },
      JSON.stringify(patch),
    )
  }
})

test('a patch that asks for nothing new changes nothing, and nothing is recorded', async (t) => {
  const app = await startApp(t)
  const client = await create(app, { scopes: ['read'] })
  const path = `/admin/clients/${client.id}`
  const before = await app.admin('GET', path)
  const versionBefore = (await app.service.clientStore.find(client.id))?.updatedAt
  const shown = (await before.json()) as Record<string, unknown>
  for (const patch of [
    {},
    { name: shown.name },
    { scopes: ['read'], accessTokenTtlSeconds: null },
  ]) {
    const answer = await app.admin('PATCH', path, patch)
    t.equal(answer.status, 200)
    t.equal(answer.headers.get('etag'), before.headers.get('etag'))
    t.strictSame(await answer.json(), shown)
  }
  t.strictSame((await app.service.clientStore.find(client.id))?.updatedAt, versionBefore)
  t.equal((await app.admin('PATCH', path, { name: 'Another' })).status, 200)
  const told = app.log.filter((line) => line.event === 'client.updated')
  t.equal(told.length, 1, 'of the one that did')
})

test('GET, PATCH and POST under an unknown or malformed id are 404, DELETE is 204', async (t) => {
  const app = await startApp(t)
  const uuid = '11111111-2222-4333-8444-555555555555'
  const ids = ['nobody', `c_${'a'.repeat(22)}`, uuid, 'X', '0', 'a'.repeat(300), ADMIN.id]
  for (const id of ids) {
    const path = `/admin/clients/${id}`
    const statuses = {
      get: (await app.admin('GET', path)).status,
      patch: (await app.admin('PATCH', path, { name: 'x' })).status,
      secret: (await app.admin('POST', `${path}/secrets`)).status,
      delete: (await app.admin('DELETE', path)).status,
      sessions: (await app.admin('DELETE', `${path}/sessions`)).status,
      oneSecret: (await app.admin('DELETE', `${path}/secrets/${uuid}`)).status,
    }
    const expected = {
      get: 404,
      patch: 404,
      secret: 404,
      delete: 204,
      sessions: 204,
      oneSecret: 204,
    }
    t.strictSame(statuses, expected, id)
  }
  const client = await create(app)
  const path = `/admin/clients/${client.id}/secrets`
  for (const secretId of [uuid, 'x', '0']) {
    t.equal((await app.admin('DELETE', `${path}/${secretId}`)).status, 204, secretId)
  }
})
