// Prometheus, of Debian, scraping what only lets in who has a token of Lineage.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { type Test, test } from 'tap'
import { readTable } from '../integrations/documented.ts'
import { API, type Scene, startScene } from '../integrations/scene.ts'
import { until } from '../support/until.ts'
import {
  PROGRAM,
  prometheusVersion,
  startPrometheus,
  type Target,
} from './programs/prometheus-server.ts'

interface Exporter {
  /** Host and port. */
  readonly target: string
  /** The `client_id` and `jti` of each scrape that was let in. */
  readonly scrapes: { readonly client: unknown; readonly jti: unknown }[]
}

/** Metrics for whoever has `metrics:read` here, told by the JWKS. */
async function startExporter(t: Test, { issuer }: Scene): Promise<Exporter> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
  const rules = { issuer, audience: API, typ: 'at+jwt' }
  const scrapes: Exporter['scrapes'] = []
  const server = createServer(async ({ headers }, answer) => {
    try {
      const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? ''
      const { payload } = await jwtVerify(token, keys, rules)
      if (!String(payload.scope).split(' ').includes('metrics:read')) throw new Error('scope')
      scrapes.push({ client: payload.client_id, jti: payload.jti })
      answer.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end('notes_total 3\n')
    } catch {
      answer.writeHead(401).end()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { target: `127.0.0.1:${(server.address() as AddressInfo).port}`, scrapes }
}

function makeClient(scene: Scene, input: Record<string, unknown> = {}) {
  return scene.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['metrics:read'],
    audiences: [API],
    ...input,
  })
}

function countTokenRequests({ log }: Scene): number {
  return log.filter(({ event, route }) => event === 'request.completed' && route === '/token')
    .length
}

test('Prometheus scrapes with a token, and asks for one only when it needs one', async (t) => {
  t.equal(prometheusVersion(), readTable('Programs').get(PROGRAM)?.Version)
  const scene = await startScene(t)
  const { target, scrapes } = await startExporter(t, scene)
  const client = await makeClient(scene)
  const before = countTokenRequests(scene)
  const read = await startPrometheus(t, { tokenUrl: `${scene.issuer}/token`, client, target })
  await until('three scrapes', () => scrapes.length >= 3)
  t.match(await read(), { health: 'up', lastError: '' })
  t.strictSame([...new Set(scrapes.map(({ client }) => client))], [client.id])
  t.equal(new Set(scrapes.map(({ jti }) => jti)).size, 1, 'one token for all of them')
  t.equal(countTokenRequests(scene) - before, 1)
})

test('a token is replaced before it expires', async (t) => {
  const scene = await startScene(t)
  const { target, scrapes } = await startExporter(t, scene)
  const client = await makeClient(scene, { accessTokenTtlSeconds: 12, refreshGraceSeconds: 0 })
  await startPrometheus(t, { tokenUrl: `${scene.issuer}/token`, client, target })
  await until('three tokens', () => new Set(scrapes.map(({ jti }) => jti)).size >= 3)
  t.pass('so many were let in')
})

test('a secret with characters that Basic has to encode is understood', async (t) => {
  const client = { id: 'prometheus-admin', secret: 'a+b%2Fc/d=e&f:g-h~'.repeat(3) }
  const scene = await startScene(t, { config: { adminClient: client } })
  const tokenUrl = `${scene.issuer}/token`
  const read = await startPrometheus(t, { tokenUrl, client, target: '127.0.0.1:1' })
  t.match(await untilDown(read), 'invalid_scope', 'it has no such scope')
})

test('what Lineage refuses is in the error of the target, without the secret', async (t) => {
  const refuse = async (code: string, input: Record<string, unknown>, secret?: string) => {
    const scene = await startScene(t)
    const { target } = await startExporter(t, scene)
    const made = await makeClient(scene, input)
    const client = { id: made.id, secret: secret ?? made.secret }
    const read = await startPrometheus(t, { tokenUrl: `${scene.issuer}/token`, client, target })
    const error = await untilDown(read)
    t.match(error, code)
    t.notMatch(error, client.secret)
    return scene
  }
  await refuse('invalid_scope', { scopes: ['other'] })
  await refuse('invalid_target', { audiences: ['https://other.example.test'] })
  const { log } = await refuse('invalid_client', {}, 'of-yesterday')
  const refusals = log.filter(({ event, reason }) => event === 'request.refused' && reason)
  t.ok(refusals.length >= 2, 'asked again with the secret in the body')
})

/** The error of a target that is down. */
async function untilDown(read: () => Promise<Target>): Promise<string> {
  const { lastError } = await until('a target that is down', async () => {
    const seen = await read()
    return seen.health === 'down' && seen
  })
  return lastError
}
