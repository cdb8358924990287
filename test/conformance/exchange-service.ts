// A token service with the two features that neither Lineage nor the stand-in has: token exchange
// (RFC 8693) and a status list for its access tokens. It can be told to make one mistake.

import { randomInt, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deflateSync } from 'node:zlib'
import { exportJWK, generateKeyPair, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type { Test } from 'tap'

export type Mistake =
  | 'subject-not-verified'
  | 'subject-not-live'
  | 'subject-type-not-needed'
  | 'issued-type-missing'
  | 'scope-widened'
  | 'actor-not-named'
  | 'index-counted'
  | 'list-typ-plain'
  | 'list-of-another-sub'
  | 'list-without-iat'
  | 'list-as-json'
  | 'fresh-token-not-valid'

export interface ExchangeService {
  readonly issuer: string
  readonly client: { readonly id: string; readonly secret: string }
}

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const CLIENT = { id: 'exchanger', secret: 'a-secret-of-some-length' }
const LIST_ENTRIES = 4096

interface Reply {
  readonly status: number
  readonly body: string | object
  readonly mediaType?: string
}

export async function startExchangeService(t: Test, mistake?: Mistake): Promise<ExchangeService> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }
  const revoked = new Set<unknown>()
  const entries = Buffer.alloc(LIST_ENTRIES / 8)
  let issuer = ''
  let counter = 0

  const sign = (typ: string, claims: JWTPayload) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'one', typ }).sign(privateKey)

  async function issue(extra: JWTPayload): Promise<string> {
    counter += 1
    const idx = mistake === 'index-counted' ? counter : randomInt(LIST_ENTRIES)
    if (mistake === 'fresh-token-not-valid') entries.fill(0xff)
    const iat = Math.floor(Date.now() / 1000)
    const common = { iss: issuer, sub: CLIENT.id, aud: issuer, client_id: CLIENT.id }
    const status = { status_list: { idx, uri: `${issuer}/status` } }
    return await sign('at+jwt', {
      ...{ ...common, jti: randomUUID(), iat, exp: iat + 60, scope: 'notes:read', status },
      ...extra,
    })
  }

  async function exchange(form: URLSearchParams): Promise<Reply> {
    const subject = form.get('subject_token')
    const hasType = form.has('subject_token_type') || mistake === 'subject-type-not-needed'
    if (subject === null || !hasType) return refuse('invalid_request')
    if (mistake !== 'subject-not-verified') {
      const verified = await jwtVerify(subject, publicKey).catch(() => undefined)
      const isLive = verified && !revoked.has(verified.payload.jti)
      if (!verified || !(isLive || mistake === 'subject-not-live')) return refuse('invalid_request')
    }
    const isActed = form.has('actor_token') && mistake !== 'actor-not-named'
    const body = {
      access_token: await issue(isActed ? { act: { sub: CLIENT.id } } : {}),
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      scope: mistake === 'scope-widened' ? 'notes:read notes:write' : 'notes:read',
    }
    const { issued_token_type: _, ...withoutType } = body
    return { status: 200, body: mistake === 'issued-type-missing' ? withoutType : body }
  }

  async function serveStatusList(): Promise<Reply> {
    const uri = `${issuer}/status`
    const iat = Math.floor(Date.now() / 1000)
    const claims = {
      sub: mistake === 'list-of-another-sub' ? issuer : uri,
      ...(mistake === 'list-without-iat' ? {} : { iat }),
      status_list: { bits: 1, lst: deflateSync(entries).toString('base64url') },
    }
    const typ = mistake === 'list-typ-plain' ? 'JWT' : 'statuslist+jwt'
    const mediaType = mistake === 'list-as-json' ? 'application/json' : 'application/statuslist+jwt'
    return { status: 200, body: await sign(typ, claims), mediaType }
  }

  async function answer(path: string, form: URLSearchParams): Promise<Reply> {
    if (path === '/status') return await serveStatusList()
    if (path === '/jwks') return { status: 200, body: { keys: [jwk] } }
    if (path === '/revoke') {
      const verified = await jwtVerify(form.get('token') ?? '', publicKey).catch(() => undefined)
      revoked.add(verified?.payload.jti)
      return { status: 200, body: '' }
    }
    if (path !== '/token') return { status: 200, body: describeMetadata(issuer) }
    if (form.get('grant_type') === EXCHANGE) return await exchange(form)
    const body = { access_token: await issue({}), token_type: 'Bearer', scope: 'notes:read' }
    return { status: 200, body }
  }

  const server = createServer((request, response) => {
    readForm(request)
      .then((form) => answer(new URL(request.url ?? '', issuer).pathname, form))
      .then((reply) => send(response, reply))
      .catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { issuer, client: CLIENT }
}

const refuse = (error: string): Reply => ({ status: 400, body: { error } })

const describeMetadata = (issuer: string) => ({
  issuer,
  token_endpoint: `${issuer}/token`,
  revocation_endpoint: `${issuer}/revoke`,
  jwks_uri: `${issuer}/jwks`,
  response_types_supported: [],
  grant_types_supported: ['client_credentials', EXCHANGE],
})

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return new URLSearchParams(Buffer.concat(chunks).toString())
}

function send(response: ServerResponse, { status, body, mediaType }: Reply): void {
  response.writeHead(status, { 'Content-Type': mediaType ?? 'application/json' })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}
