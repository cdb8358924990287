// Prometheus, of Debian, scraping what only lets in who has a token of Lineage.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { type Test, test } from 'tap'
import type { ServiceConfig } from '../../src/config/service-config.ts'
import { API, type Scene, startScene } from '../scenes/integration-scene.ts'
import { readTable } from '../support/documented.ts'
import { until } from '../support/until.ts'
import { type RecordedServer, startPassage } from './gateways/recorded-server.ts'
import {
  PROGRAM,
  type Prometheus,
  prometheusVersion,
  startPrometheus,
} from './programs/prometheus-server.ts'

interface Exporter {
  /** Host and port. */
  readonly target: string
  /** The `client_id` and `jti` of each scrape that was let in. */
  readonly scrapes: { readonly client: unknown; readonly jti: unknown }[]
  /** From now on nobody is let in. */
  close(): void
  refused(): number
}

/** Metrics for whoever has `metrics:read` here, told by the JWKS. */
async function startExporter(t: Test, { issuer }: Scene): Promise<Exporter> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
  const rules = { issuer, audience: API, typ: 'at+jwt' }
  const scrapes: Exporter['scrapes'] = []
  let isClosed = false
  let refused = 0
  const server = createServer(async ({ headers }, answer) => {
    try {
      const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? ''
      const { payload } = await jwtVerify(token, keys, rules)
      const isAllowed = String(payload.scope).split(' ').includes('metrics:read')
      if (!isAllowed || isClosed) throw new Error('not allowed')
      scrapes.push({ client: payload.client_id, jti: payload.jti })
      answer.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end('notes_total 3\n')
    } catch {
      refused += 1
      answer.writeHead(401).end()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    target: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    scrapes,
    refused: () => refused,
    close() {
      isClosed = true
    },
  }
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

interface Setting extends Exporter {
  readonly scene: Scene
  /** What has been asked at `/token`, on the way there. */
  readonly asked: RecordedServer['received']
  start(client: { readonly id: string; readonly secret: string }): Promise<Prometheus>
}

async function open(t: Test, config: Partial<ServiceConfig> = {}): Promise<Setting> {
  const scene = await startScene(t, { config })
  const passage = await startPassage(t, Number(new URL(scene.url).port))
  const exporter = await startExporter(t, scene)
  const { target } = exporter
  const tokenUrl = `http://127.0.0.1:${passage.port}/token`
  const start: Setting['start'] = (client) => startPrometheus(t, { tokenUrl, client, target })
  return { ...exporter, scene, asked: passage.received, start }
}

/** Where each request had the secret. */
function methodsOf(asked: Setting['asked']): string[] {
  return asked.map(({ headers, body }) => {
    const hasBasic = headers.some(([name]) => name === 'authorization')
    const isInBody = new URLSearchParams(body.toString()).has('client_secret')
    return [hasBasic && 'basic', isInBody && 'body'].filter(Boolean).join(' and ')
  })
}

test('Prometheus scrapes with a token, and asks for one only when it needs one', async (t) => {
  t.equal(prometheusVersion(), readTable('Programs').get(PROGRAM)?.Version)
  const { scene, asked, scrapes, start } = await open(t)
  const client = await makeClient(scene)
  const { read } = await start(client)
  await until('three scrapes', () => scrapes.length >= 3)
  t.match(await read(), { health: 'up', lastError: '' })
  t.strictSame([...new Set(scrapes.map(({ client }) => client))], [client.id])
  t.equal(new Set(scrapes.map(({ jti }) => jti)).size, 1, 'one token for all of them')
  t.strictSame(methodsOf(asked), ['basic'])
})

test('a token is replaced before it expires', async (t) => {
  const { scene, scrapes, start } = await open(t)
  await start(await makeClient(scene, { accessTokenTtlSeconds: 12, refreshGraceSeconds: 0 }))
  await until('three tokens', () => new Set(scrapes.map(({ jti }) => jti)).size >= 3)
  t.pass('so many were let in')
})

test('a token that the target refuses is sent until it is due', async (t) => {
  const { scene, asked, scrapes, close, refused, start } = await open(t)
  const { read } = await start(await makeClient(scene))
  await until('a scrape', () => scrapes.length > 0)
  close()
  await until('three refusals', () => refused() >= 3)
  t.match(await read(), { health: 'down', lastError: /401/ })
  t.equal(asked.length, 1)
})

test('Basic is form-encoded, so a secret may have any characters', async (t) => {
  const adminClient = { id: 'prometheus-admin', secret: 'a+b%2Fc/d=e&f:g-h~'.repeat(3) }
  const { asked, start } = await open(t, { adminClient })
  t.match(await untilDown(await start(adminClient)), 'invalid_scope', 'it has no such scope')
  const pair = [adminClient.id, adminClient.secret].map(encodeURIComponent).join(':')
  const [, authorization] = asked[0]?.headers.find(([name]) => name === 'authorization') ?? []
  t.equal(authorization, `Basic ${Buffer.from(pair).toString('base64')}`)
})

test('a client that takes the secret in the body alone is asked for that way', async (t) => {
  const { scene, asked, scrapes, start } = await open(t)
  await start(await makeClient(scene, { authMethods: ['client_secret_post'] }))
  await until('a scrape', () => scrapes.length > 0)
  t.strictSame(methodsOf(asked), ['basic', 'body'])
})

test('what Lineage refuses is in the error of the target, without the secret', async (t) => {
  const refuse = async (code: string, input: Record<string, unknown>) => {
    const { scene, start } = await open(t)
    const client = await makeClient(scene, input)
    const error = await untilDown(await start(client))
    t.match(error, code)
    t.notMatch(error, client.secret)
  }
  await refuse('invalid_scope', { scopes: ['other'] })
  await refuse('invalid_target', { audiences: ['https://other.example.test'] })
})

test('a wrong secret is tried both ways, and a right one is taken from its file', async (t) => {
  const { scene, asked, scrapes, start } = await open(t)
  const client = await makeClient(scene)
  const prometheus = await start({ id: client.id, secret: 'of-yesterday' })
  const error = await untilDown(prometheus)
  t.match(error, 'invalid_client')
  t.notMatch(error, 'of-yesterday')
  await until('four requests', () => asked.length >= 4)
  t.strictSame(methodsOf(asked.slice(0, 4)), ['basic', 'body', 'basic', 'body'])
  prometheus.writeSecret(client.secret)
  await until('a scrape', () => scrapes.length > 0)
  t.pass('without a restart')
})

/** The error of a target that is down. */
async function untilDown({ read }: Prometheus): Promise<string> {
  const { lastError } = await until('a target that is down', async () => {
    const seen = await read()
    return seen.health === 'down' && seen
  })
  return lastError
}
