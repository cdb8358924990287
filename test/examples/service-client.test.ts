// The service of examples/ that calls another one: one token for many calls, renewed in time, and
// replaced when it is refused (RFC 6749 §4.4).

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Test, test } from 'tap'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import { until } from '../support/until.ts'
import { type ExampleLineage, startExample, startIssuer } from './example-process.ts'

const AUDIENCE = 'https://notes.example.test'
/** Renewed after 6 to 6.8 s; `iat` is cut to the second, so 7 s of it are certain. */
const SHORT_TTL_SECONDS = 8
const CALLS = 40

interface TokenRequest {
  readonly atMs: number
  readonly status: number
  readonly expiresAtMs: number
}

/** Stands before the token endpoint and notes what passes. */
async function watchTokenEndpoint(t: Test, issuer: string) {
  const requests: TokenRequest[] = []
  const server = createServer(async (request, response) => {
    const atMs = Date.now()
    const headers = {
      authorization: request.headers.authorization ?? '',
      'content-type': request.headers['content-type'] ?? '',
    }
    const body = await text(request)
    const answer = await fetch(`${issuer}${request.url}`, { method: 'POST', headers, body }).catch(
      () => undefined,
    )
    // Lineage is away: so is what stands before it.
    if (!answer) return request.socket.destroy()
    const json = (await answer.json()) as { access_token?: string }
    const payload = json.access_token?.split('.')[1] ?? Buffer.from('{}').toString('base64url')
    const { exp = 0 } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp?: number }
    requests.push({ atMs, status: answer.status, expiresAtMs: exp * 1000 })
    return response.writeHead(answer.status).end(JSON.stringify(json))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { requests, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function openScene(t: Test, input: Partial<ClientInput> = {}) {
  const lineage: ExampleLineage = await startIssuer(t)
  const { service, issuer } = lineage
  const client = await service.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['notes:read', 'notes:write'],
    audiences: ['https://first.example.test', AUDIENCE],
    ...input,
  })
  const secretFile = join(t.testdir({}), 'secret')
  writeFileSync(secretFile, `${client.secret}\n`)
  const endpoint = await watchTokenEndpoint(t, issuer)
  const api = await startExample(t, 'fastify-resource-server/server.mjs', {
    ISSUER: issuer,
    AUDIENCE,
  })
  const url = await startExample(t, 'service-client/server.mjs', {
    TOKEN_ENDPOINT: `${endpoint.url}/token`,
    API: api,
    CLIENT_ID: client.id,
    CLIENT_SECRET_FILE: secretFile,
    SCOPE: 'notes:read',
    RESOURCE: AUDIENCE,
  })
  const call = async () => {
    const answer = await fetch(url)
    await answer.body?.cancel()
    return answer.status
  }
  const callOften = async () =>
    new Set(await Promise.all(Array.from({ length: CALLS }, () => call())))
  return { service, client, secretFile, api, requests: endpoint.requests, call, callOften }
}

test('many calls share one token; a changed secret and key cost one repetition', async (t) => {
  const { service, client, secretFile, api, requests, call, callOften } = await openScene(t)
  t.strictSame([...(await callOften())], [200], 'all at once')
  for (let i = 0; i < CALLS; i += 1) t.equal(await call(), 200)
  t.equal(requests.length, 1)

  const path = `/admin/clients/${client.id}`
  const { secrets } = await read<{ secrets: { id: string }[] }>(await service.admin('GET', path))
  const added = await service.admin('POST', `${path}/secrets`)
  writeFileSync(secretFile, (await read<{ clientSecret: string }>(added)).clientSecret)
  const removed = await service.admin('DELETE', `${path}/secrets/${secrets[0]?.id}`)
  t.equal(removed.status, 204)
  t.strictSame([...(await callOften())], [200], 'the token outlives the secret it was given for')
  t.equal(requests.length, 1)

  t.equal((await service.admin('POST', '/admin/keys/rotate', { compromised: true })).status, 201)
  const signedAnew = { headers: { authorization: `Bearer ${await service.adminToken()}` } }
  await until('the API to refuse the old key', async () => {
    // It loads the keys again when it meets one that it does not know.
    await (await fetch(`${api}/notes`, signedAnew)).body?.cancel()
    t.equal(await call(), 200, 'nobody sees the refusal')
    return requests.length > 1
  })
  t.equal(requests.at(-1)?.status, 200, 'with the new secret')
  const asked = requests.length
  t.strictSame([...(await callOften())], [200])
  t.equal(requests.length, asked)
})

async function read<T>(answer: Response): Promise<T> {
  return (await answer.json()) as T
}

test('a token is renewed before it expires, and used on while Lineage is away', async (t) => {
  const ttl = { accessTokenTtlSeconds: SHORT_TTL_SECONDS, refreshGraceSeconds: 0 }
  const { service, requests, call, callOften } = await openScene(t, ttl)
  t.equal(await call(), 200)
  // On a machine that stands still for half a second one may be late; a client that renews only
  // what has expired is late each time.
  const early = () => {
    const [last, before] = [requests.at(-1), requests.at(-2)]
    return last !== undefined && before !== undefined && last.atMs < before.expiresAtMs
  }
  await until('a renewal before the end', async () => {
    t.equal(await call(), 200)
    return early()
  })
  const asked = requests.length
  t.strictSame([...(await callOften())], [200])
  t.equal(requests.length, asked, 'one renewal for all')

  service.signal('SIGKILL')
  await service.exited
  t.equal(await call(), 200, 'with the token that it has')
  await until('the end of that token', async () => (await call()) === 502)
})
