// The resource servers of examples/, in Fastify and in Express: the same tokens get the same answers
// (RFC 9068 §4, RFC 6750 §3).

import { createHmac } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { exportJWK, type JWTHeaderParameters, SignJWT } from 'jose'
import { type Test, test } from 'tap'
import { makeFreshKeys } from '../../packages/client/src/fresh-keys.ts'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { logIn } from '../support/app.ts'
import { until } from '../support/until.ts'
import { EXAMPLES, type ExampleLineage, startExample, startIssuer } from './example-process.ts'

const SERVERS = ['fastify', 'express'] as const
const AUDIENCE = 'https://notes.example.test'
const INVALID = '401 Bearer error="invalid_token"'
/** Which schemes there are, and of what went wrong nothing (RFC 9449 §7.2). */
const BARE = '401 Bearer, DPoP algs="ES256 EdDSA Ed25519 RS256 PS256"'
/** The pause after an unknown key, and time for a busy machine. */
const KEY_TIMEOUT_MS = 20_000

/** The status, and the challenge where there is one. */
async function ask(api: string, token?: string, init: RequestInit & { path?: string } = {}) {
  const { path = '/notes', ...rest } = init
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const answer = await fetch(`${api}${path}`, { headers, ...rest })
  await answer.body?.cancel()
  return [answer.status, answer.headers.get('www-authenticate')].filter(Boolean).join(' ')
}

function startServer(t: Test, kind: string, issuer: string): Promise<string> {
  const env = { ISSUER: issuer, AUDIENCE }
  return startExample(t, `${kind}-resource-server/server.mjs`, env)
}

function withPart(token: string, index: number, change: (part: object) => object): string {
  const parts = token.split('.')
  const part = JSON.parse(Buffer.from(parts[index] ?? '', 'base64url').toString())
  parts[index] = Buffer.from(JSON.stringify(change(part))).toString('base64url')
  return parts.join('.')
}

async function checkTraffic(t: Test, api: string, { service }: ExampleLineage): Promise<void> {
  const user = await service.makeUser()
  const scopes = ['notes:read', 'notes:write']
  const make = (input: object) =>
    service.makeClient({ scopes, defaultScopes: ['notes:read'], audiences: [AUDIENCE], ...input })
  const client = await make({})
  const good = await logIn(service, client, user)
  const both = await logIn(service, client, user, { scope: scopes.join(' ') })
  const other = await logIn(
    service,
    await make({ audiences: ['https://other.example.test'] }),
    user,
  )
  const bare = await logIn(service, await make({ defaultScopes: [] }), user)
  const short = await make({ accessTokenTtlSeconds: 1, refreshGraceSeconds: 0 })

  t.equal(await ask(api, good.access_token), '200')
  t.equal(await ask(api, both.access_token, { method: 'DELETE' }), '204')
  const shortForbidden = '403 Bearer error="insufficient_scope", scope='
  t.equal(await ask(api, bare.access_token), `${shortForbidden}"notes:read"`)
  const write = await ask(api, good.access_token, { method: 'DELETE' })
  t.equal(write, `${shortForbidden}"notes:write"`, 'each route has its own scope')

  t.equal(await ask(api), BARE, 'no error without credentials (C107)')
  const basic = { headers: { authorization: 'Basic Zm9vOmJhcg==' } }
  t.equal(await ask(api, undefined, basic), BARE, 'of another kind, too')
  const path = `/notes?access_token=${good.access_token}`
  t.equal(await ask(api, undefined, { path }), BARE, 'nor in the query (RFC 9700 §2.4)')
  t.equal(await ask(api, other.access_token), INVALID, 'another audience')
  t.equal(await ask(api, good.refresh_token), INVALID, 'a refresh token')
  t.equal(await ask(api, ''), INVALID, 'nothing after the scheme')
  t.equal(await ask(api, 'a.b.c'), INVALID, 'no JWT')
  const elevated = (claims: object) => ({ ...claims, scope: scopes.join(' ') })
  t.equal(await ask(api, withPart(good.access_token, 1, elevated)), INVALID, 'changed claims')
  const unknown = withPart(good.access_token, 0, (header) => ({ ...header, kid: 'made-up' }))
  t.equal(await ask(api, unknown), INVALID, 'an unknown key')
  const brief = (await logIn(service, short, user)).access_token
  await until('its end', async () => (await ask(api, brief)) === INVALID)
}

for (const kind of SERVERS) {
  test(`${kind}: good tokens pass, all others get the answer of RFC 6750 (C67, C107)`, async (t) => {
    const lineage = await startIssuer(t)
    const { service, issuer } = lineage
    const api = await startServer(t, kind, issuer)
    await checkTraffic(t, api, lineage)

    const client = await service.makeClient({
      audiences: [AUDIENCE],
      scopes: ['notes:read'],
      defaultScopes: ['notes:read'],
    })
    const user = await service.makeUser()
    const { access_token: old } = await logIn(service, client, user)
    t.equal((await service.admin('POST', '/admin/keys/rotate', {})).status, 201)
    t.equal(await ask(api, old), '200', 'a key that is about to be replaced')
    const compromise = { compromised: true }
    t.equal((await service.admin('POST', '/admin/keys/rotate', compromise)).status, 201)
    const { access_token: fresh } = await logIn(service, client, user)
    const isTrusted = async () => (await ask(api, fresh)) === '200'
    await until('the new key', isTrusted, KEY_TIMEOUT_MS)
    t.equal(await ask(api, old), INVALID, 'a compromised key is believed no longer')

    service.signal('SIGKILL')
    await service.exited
    t.equal(await ask(api, fresh), '200', 'verifies on while Lineage is away')
  })

  test(`${kind}: a good signature is not enough (C67, C70)`, async (t) => {
    const keys = await makeFreshKeys('ES256')
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'key', alg: 'ES256', use: 'sig' }
    const port = await findFreePort()
    const issuer = `http://localhost:${port}`
    const api = await startServer(t, kind, issuer)
    const nowSeconds = Math.floor(Date.now() / 1000)
    const claims = {
      iss: issuer,
      aud: [AUDIENCE, 'https://other.example.test'],
      sub: 'user',
      client_id: 'client',
      jti: 'id',
      iat: nowSeconds,
      exp: nowSeconds + 600,
      scope: 'notes:read',
    }
    const header = { alg: 'ES256', kid: 'key', typ: 'at+jwt' }
    const sign = (changed: object = {}, headers: Partial<JWTHeaderParameters> = {}) =>
      new SignJWT({ ...claims, ...changed })
        .setProtectedHeader({ ...header, ...headers })
        .sign(keys.privateKey)

    t.equal(await ask(api, await sign()), '503', 'without keys nothing is known')
    const server = createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] })))
    await new Promise<void>((resolve) => void server.listen(port, 'localhost', resolve))
    t.teardown(() => void server.close())
    t.equal((server.address() as AddressInfo).port, port)
    await until('the keys', async () => (await ask(api, await sign())) === '200')

    const bad: Record<string, string> = {
      'another typ': await sign({}, { typ: 'JWT' }),
      'another issuer': await sign({ iss: `${issuer}/` }),
      'no audience': await sign({ aud: undefined }),
      'no end': await sign({ exp: undefined }),
      'the end': await sign({ exp: nowSeconds - 6 }),
      'no subject': await sign({ sub: undefined }),
      'no client': await sign({ client_id: undefined }),
      'alg none': withPart(await sign(), 0, (given) => ({ ...given, alg: 'none' })),
      'the public key as a shared one': signWithPublicKey(await sign(), jwk),
      'a key of its own': await signWithOwnKey(claims, header),
    }
    for (const [what, token] of Object.entries(bad)) t.equal(await ask(api, token), INVALID, what)
  })
}

function signWithPublicKey(token: string, jwk: object): string {
  const [header, payload] = withPart(token, 0, (given) => ({ ...given, alg: 'HS256' })).split('.')
  const mac = createHmac('sha256', JSON.stringify(jwk)).update(`${header}.${payload}`)
  return `${header}.${payload}.${mac.digest('base64url')}`
}

async function signWithOwnKey(claims: object, header: JWTHeaderParameters): Promise<string> {
  const { privateKey, publicKey } = await makeFreshKeys('ES256')
  const jwk = await exportJWK(publicKey)
  return await new SignJWT({ ...claims }).setProtectedHeader({ ...header, jwk }).sign(privateKey)
}

test('every example stands in the index', async (t) => {
  const index = readFileSync(join(EXAMPLES, 'README.md'), 'utf8')
  const folders = readdirSync(EXAMPLES).filter((name) => !name.includes('.'))
  for (const folder of folders) t.match(index, `| [${folder}](`)
  t.ok(folders.length > SERVERS.length, 'the examples were found')
})
