// What verifiers and clients find by themselves: metadata, keys, and what is not there.

import { type Test, test } from 'tap'
import { ISSUER, startApp, type TestApp } from '../../support/app.ts'

async function json(app: TestApp, path: string): Promise<Record<string, unknown>> {
  const answer = await app.fetch(path)
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`)
  return (await answer.json()) as Record<string, unknown>
}

const METADATA = '/.well-known/oauth-authorization-server'
const OPENID = '/.well-known/openid-configuration'

test('metadata says exactly what is enabled (RFC 8414 §2, C76, C77, C78, C79)', async (t) => {
  const app = await startApp(t)
  const before = await json(app, METADATA)
  const methods = [
    'client_secret_basic',
    'client_secret_post',
    'private_key_jwt',
    'federated_jwt',
    'none',
  ]
  const algs = ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256']
  t.strictSame(before, {
    issuer: ISSUER,
    token_endpoint: `${ISSUER}/token`,
    revocation_endpoint: `${ISSUER}/revoke`,
    introspection_endpoint: `${ISSUER}/introspect`,
    jwks_uri: `${ISSUER}/.well-known/jwks.json`,
    response_types_supported: [],
    grant_types_supported: [
      ...['refresh_token', 'client_credentials'],
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
    ],
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: algs,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: algs,
    introspection_endpoint_auth_methods_supported: methods.slice(0, 4),
    introspection_endpoint_auth_signing_alg_values_supported: algs,
    dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'],
  })
  const client = await app.makeClient({})
  const during = await json(app, METADATA)
  t.ok((during.grant_types_supported as string[]).includes('password'), '(C39)')
  t.equal((await app.admin('DELETE', `/admin/clients/${client.id}`)).status, 204)
  t.strictSame(await json(app, METADATA), before, 'absent again with its last client (C39)')
})

test('certificates of clients are told of where they are seen (RFC 8705 §3.3, §5)', async (t) => {
  const mtlsOrigin = 'https://mtls.example.test'
  const app = await startApp(t, { config: { trustProxy: ['127.0.0.0/8'], mtlsOrigin } })
  const told = await json(app, METADATA)
  t.equal(told.tls_client_certificate_bound_access_tokens, true)
  t.strictSame(told.mtls_endpoint_aliases, {
    token_endpoint: `${mtlsOrigin}/token`,
    revocation_endpoint: `${mtlsOrigin}/revoke`,
    introspection_endpoint: `${mtlsOrigin}/introspect`,
  })
  for (const endpoint of ['token', 'revocation', 'introspection']) {
    const methods = told[`${endpoint}_endpoint_auth_methods_supported`] as string[]
    t.ok(methods.includes('tls_client_auth'), endpoint)
  }
})

test('nothing is told of certificates where no proxy is to speak for them', async (t) => {
  const app = await startApp(t, {
    config: {
      trustProxy: ['127.0.0.0/8'],
      certificateHeader: 'off',
      mtlsOrigin: 'https://mtls.example.test',
    },
  })
  const told = await json(app, METADATA)
  t.notOk('tls_client_certificate_bound_access_tokens' in told)
  t.notOk('mtls_endpoint_aliases' in told)
  for (const endpoint of ['token', 'revocation', 'introspection']) {
    const methods = told[`${endpoint}_endpoint_auth_methods_supported`] as string[]
    t.notOk(
      methods.some((method) => method.includes('tls')),
      endpoint,
    )
  }
})

test('metadata names the scopes of public clients, each once, in one order (RFC 8414 §2)', async (t) => {
  const app = await startApp(t)
  const scopesOf = async () => (await json(app, METADATA)).scopes_supported
  await app.makeClient({ type: 'confidential', scopes: ['secret:read'] })
  t.equal(await scopesOf(), undefined, 'what confidential clients may is not told')
  const one = await app.makeClient({ scopes: ['notes:write', 'notes:read'] })
  t.strictSame(await scopesOf(), ['notes:read', 'notes:write'])
  await app.makeClient({ scopes: ['Files', 'notes:read'] })
  t.strictSame(await scopesOf(), ['Files', 'notes:read', 'notes:write'])
  await app.admin('PATCH', `/admin/clients/${one.id}`, { scopes: [], defaultScopes: [] })
  t.strictSame(await scopesOf(), ['Files', 'notes:read'])
})

test('the same at the OpenID path, with what its parsers insist on', async (t) => {
  const app = await startApp(t)
  t.strictSame(await json(app, OPENID), {
    ...(await json(app, METADATA)),
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256', 'EdDSA', 'RS256', 'PS256', 'Ed25519'],
  })
})

test('an issuer with a path: all of it under the path, metadata at three places (RFC 8414 §3.1)', async (t) => {
  const app = await startApp(t, { config: { issuer: `${ISSUER}/auth/v1` } })
  const metadata = await json(app, `${METADATA}/auth/v1`)
  t.equal(metadata.token_endpoint, `${ISSUER}/auth/v1/token`)
  t.strictSame(await json(app, `/auth/v1${METADATA}`), metadata)
  t.match(await json(app, `/auth/v1${OPENID}`), metadata)
  t.equal((await app.fetch(METADATA)).status, 404)
  t.equal((await app.fetch('/.well-known/jwks.json')).status, 404)
  t.ok((await json(app, '/auth/v1/.well-known/jwks.json')).keys)
  t.equal((await app.fetch('/auth/v1/token', { method: 'POST' })).status, 400)
  t.equal((await app.fetch('/token', { method: 'POST' })).status, 404)
  t.equal((await app.admin('GET', '/admin/clients')).status, 200)
  t.equal((await app.fetch('/livez')).status, 200, 'probes stay at the root')
})

test('the issuer itself says where to look, and every address there is one', async (t) => {
  for (const [path, places] of [
    ['', ['/']],
    ['/auth/v1', ['/auth/v1', '/auth/v1/']],
  ] as const) {
    const issuer = `${ISSUER}${path}`
    const app = await startApp(t, { config: { issuer } })
    for (const place of places) {
      const answer = await app.fetch(place)
      t.equal(answer.status, 200, place)
      t.match(answer.headers.get('content-type'), /^application\/json/)
      t.equal(answer.headers.get('cache-control'), 'public, max-age=300')
      t.equal(answer.headers.get('access-control-allow-origin'), '*')
      const index = (await answer.json()) as Record<string, string>
      t.equal(index.issuer, issuer)
      t.strictSame(Object.keys(index), ['issuer', 'metadata', 'jwks', 'docs', 'openapi'])
      for (const address of Object.values(index).slice(1)) {
        t.equal((await app.fetch(address.replace(ISSUER, ''))).status, 200, address)
      }
      const headers = { 'if-none-match': answer.headers.get('etag') ?? '' }
      t.equal((await app.fetch(place, { headers })).status, 304)
      const head = await app.fetch(place, { method: 'HEAD' })
      t.strictSame([head.status, await head.text()], [200, ''])
      const wrong = await app.fetch(place, { method: 'POST', body: 'x' })
      t.equal(wrong.headers.get('allow'), 'GET, HEAD')
      await problem(t, wrong, 405, 'method_not_allowed')
    }
    if (path !== '') t.equal((await app.fetch('/')).status, 404, 'above it we are nobody')
  }
})

test('a port of the operations names its own paths, and no other', async (t) => {
  const config = { issuer: `${ISSUER}/auth/v1` }
  const app = await startApp(t, { config, surface: 'operations' })
  const { paths, ...rest } = await json(app, '/')
  t.strictSame(rest, {})
  for (const path of ['/livez', '/readyz', '/auth/v1/admin/users']) {
    t.ok((paths as string[]).includes(path), path)
  }
  for (const path of paths as string[]) {
    const { status } = await app.fetch(path, { method: 'PATCH' })
    t.equal(status, 405, path)
  }
  const { headers, status } = await app.fetch('/', { method: 'DELETE' })
  t.strictSame([status, headers.get('allow')], [405, 'GET, HEAD'])
  t.equal((await app.fetch('/auth/v1')).status, 404)
})

test('JWKS: public members only, cacheable, revalidated (RFC 7517 §5, C73, C74)', async (t) => {
  const app = await startApp(t, { config: { jwksMaxAgeSeconds: 120 } })
  const answer = await app.fetch('/.well-known/jwks.json')
  t.match(answer.headers.get('content-type'), /^application\/jwk-set\+json/)
  t.equal(answer.headers.get('cache-control'), 'public, max-age=120')
  t.equal(answer.headers.get('access-control-allow-origin'), '*', '(C81)')
  const { keys } = (await answer.json()) as { keys: Record<string, unknown>[] }
  t.equal(keys.length, 1)
  t.strictSame(Object.keys(keys[0] ?? {}).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
  const etag = answer.headers.get('etag') ?? ''
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await app.fetch('/.well-known/jwks.json', { headers: { 'if-none-match': known } })
    t.equal(again.status, 304, known)
    t.equal(await again.text(), '')
  }
  const stale = { headers: { 'if-none-match': '"other"' } }
  t.equal((await app.fetch('/.well-known/jwks.json', stale)).status, 200)
})

test('a rotation shows the next key first (C75)', async (t) => {
  const app = await startApp(t)
  const etag = (await app.fetch('/.well-known/jwks.json')).headers.get('etag')
  const made = await app.admin('POST', '/admin/keys/rotate', {})
  t.equal(made.status, 201)
  t.match(await made.json(), { state: 'next', alg: 'ES256', retireAt: null })
  const again = await app.admin('POST', '/admin/keys/rotate')
  t.equal(again.status, 200, 'one waits already; a body is not needed')
  const page = (await (await app.admin('GET', '/admin/keys')).json()) as {
    items: { state: string }[]
    nextCursor: null
  }
  t.strictSame([page.items.map((key) => key.state), page.nextCursor], [['active', 'next'], null])
  t.equal(((await json(app, '/.well-known/jwks.json')).keys as unknown[]).length, 2)
  t.not((await app.fetch('/.well-known/jwks.json')).headers.get('etag'), etag)
  const fresh = await app.admin('POST', '/admin/keys/rotate', { compromised: true })
  t.equal(fresh.status, 201)
  const { kid } = (await fresh.json()) as { kid: string }
  const { keys } = (await json(app, '/.well-known/jwks.json')) as { keys: { kid: string }[] }
  t.strictSame(
    keys.map((key) => key.kid),
    [kid],
    'the old ones left at once',
  )
})

async function problem(t: Test, answer: Response, status: number, code: string) {
  t.equal(answer.status, status)
  t.match(answer.headers.get('content-type'), /^application\/problem\+json/)
  const body = (await answer.json()) as Record<string, unknown>
  t.match(body, { type: String, title: String, status, code })
}

test('unknown paths and wrong methods elsewhere are problem documents', async (t) => {
  const app = await startApp(t)
  await problem(t, await app.fetch('/evil'), 404, 'not_found')
  await problem(t, await app.fetch('/token/', { method: 'POST' }), 404, 'not_found')
  await problem(t, await app.fetch('/%zz'), 404, 'not_found')
  const wrong = await app.fetch('/.well-known/jwks.json', { method: 'POST', body: 'x' })
  t.equal(wrong.headers.get('allow'), 'GET, HEAD')
  await problem(t, wrong, 405, 'method_not_allowed')
  const admin = await app.fetch('/admin/users', { method: 'PUT', body: '{' })
  t.equal(admin.headers.get('allow'), 'GET, HEAD, POST')
  await problem(t, admin, 405, 'method_not_allowed')
})
