// A small OAuth token service for tests, in memory and correct in every row that can be seen from
// outside. Each mutation that it is given makes one mistake of the kind that real servers make.

import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { TLS_OPTIONS } from '../tested-certificates.ts'
import type { Mutation } from './mutation-table.ts'
import { handleResource } from './protected-resource.ts'
import { serveMetadata, serveResourceMetadata } from './published.ts'
import { listCredentials, openRegistry, type Registry } from './registry.ts'
import { loadSigningKey, type SigningKey, serveJwks } from './signing-keys.ts'
import type { State } from './state.ts'
import { STATUS_LIST_PATH, serveStatusList } from './status-list.ts'
import { handleToken } from './token-endpoint.ts'
import { handleIntrospection, handleRevocation } from './token-state.ts'
import {
  type Call,
  type Has,
  Refusal,
  type Reply,
  readCall,
  sendReply,
  withNoStore,
} from './wire.ts'

export interface StandIn {
  readonly issuer: string
  readonly resourceUrl: string
  readonly credentials: ReturnType<typeof listCredentials>
  close(): Promise<void>
}

/** An issuer with a path has its metadata elsewhere (RFC 8414 §3.1). */
const BASE_PATH = '/tenant'

export async function startStandIn(
  mutations: readonly Mutation[] = [],
  asksForNonce = false,
  tlsOptions = TLS_OPTIONS,
): Promise<StandIn> {
  const has: Has = (mutation) => mutations.includes(mutation)
  const key = await loadSigningKey()
  let routes: Routes | undefined
  const listener: RequestListener = (request, response) => {
    readCall(request, has)
      .then((call) => (routes ? answer(routes, call, has) : { status: 503 }))
      .catch((error: unknown) => toReply(error, has))
      .then((reply) => sendReply(response, reply))
      .catch(() => response.destroy())
  }
  const servers = [createServer(listener), createTlsServer(tlsOptions, listener)] as const
  const [port, tlsPort] = await Promise.all([listen(servers[0]), listen(servers[1])])
  const origin = `http://127.0.0.1:${port}`
  const mtlsOrigin = `https://127.0.0.1:${tlsPort}`
  const api = `${origin}/api`
  const registry = await openRegistry(api)
  const state = makeState({ origin, mtlsOrigin }, registry, has, asksForNonce)
  routes = makeRoutes(state, key)
  return {
    issuer: state.issuer,
    resourceUrl: api,
    credentials: listCredentials(registry, api),
    async close() {
      await Promise.all(
        servers.map((server) => {
          server.closeAllConnections()
          return new Promise((resolve) => server.close(resolve))
        }),
      )
    },
  }
}

async function listen(server: Pick<Server, 'listen' | 'address'>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function makeState(
  { origin, mtlsOrigin }: { origin: string; mtlsOrigin: string },
  registry: Registry,
  has: Has,
  asksForNonce: boolean,
): State {
  const api = `${origin}/api`
  return {
    has,
    origin,
    mtlsIssuer: `${mtlsOrigin}${BASE_PATH}`,
    issuer: `${origin}${BASE_PATH}`,
    resources: [api, `${origin}/other-api`],
    ownResource: api,
    clients: registry.clients,
    users: registry.users,
    families: new Map(),
    refreshTokens: new Map(),
    revokedJtis: new Set(),
    seenJtis: new Set(),
    nonces: asksForNonce ? new Set() : undefined,
    guesses: new Map(),
    atWork: 0,
    statuses: new Map(),
  }
}

type Routes = ReadonlyMap<string, (call: Call) => Promise<Reply> | Reply>

function makeRoutes(state: State, key: SigningKey): Routes {
  const { has } = state
  const closed =
    (handle: (state: State, key: SigningKey, call: Call) => Promise<Reply>) => async (call: Call) =>
      withNoStore(await handle(state, key, call).catch((error) => toReply(error, has)), has)
  const metadata = (call: Call) => serveMetadata(state, call)
  const inserted = `/.well-known/oauth-authorization-server${BASE_PATH}`
  return new Map<string, (call: Call) => Promise<Reply> | Reply>([
    [`${BASE_PATH}/token`, closed(handleToken)],
    [`${BASE_PATH}/revoke`, closed(handleRevocation)],
    [`${BASE_PATH}/introspect`, closed(handleIntrospection)],
    [`${BASE_PATH}/jwks`, (call) => serveJwks(key, call, has)],
    [has('metadata-only-appended') ? '' : inserted, metadata],
    [`${BASE_PATH}/.well-known/oauth-authorization-server`, metadata],
    [`${BASE_PATH}/.well-known/openid-configuration`, metadata],
    ['/.well-known/oauth-protected-resource/api', () => serveResourceMetadata(state)],
    [`${BASE_PATH}${STATUS_LIST_PATH}`, () => serveStatusList(state, key)],
    ['/api', (call) => handleResource(state, key, call)],
  ])
}

async function answer(routes: Routes, call: Call, has: Has): Promise<Reply> {
  const handle = routes.get(call.path)
  const reply = handle ? await handle(call) : { status: 404, body: {} }
  const { origin } = call.headers
  if (origin === undefined || !has('cors-any-origin')) return reply
  return { ...reply, headers: { ...reply.headers, 'Access-Control-Allow-Origin': origin } }
}

function toReply(error: unknown, has: Has): Reply {
  if (error instanceof Refusal) return withNoStore(error.toReply(), has)
  return { status: 500, body: { error: 'server_error', error_description: 'it broke down' } }
}
