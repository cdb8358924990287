// DPoP as three implementations by two authors do it, with nonces and without: a login, two refreshes and a
// call of one's own account. oauth4webapi leaves the second try to its caller, the others make it themselves.

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { JoseKey } from '@atproto/jwk-jose'
import { decodeJwt } from 'jose'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { test } from 'tap'
import { startScene } from '../scenes/integration-scene.ts'

interface BoundClient {
  logIn(username: string, password: string): Promise<BoundTokens>
  refresh(token: string): Promise<BoundTokens>
  /** The status of a call with the token. */
  call(token: string, url: URL): Promise<number>
}

interface BoundTokens {
  readonly token_type: string
  readonly access_token: string
  readonly refresh_token?: string | undefined
}

const HTTP = { [oauth.allowInsecureRequests]: true } as const

async function openOauth4webapi(issuer: string, id: string): Promise<BoundClient> {
  const url = new URL(issuer)
  const found = await oauth.discoveryRequest(url, { ...HTTP, algorithm: 'oauth2' })
  const as = await oauth.processDiscoveryResponse(url, found)
  const client: oauth.Client = { client_id: id }
  const options = { ...HTTP, DPoP: oauth.DPoP(client, await oauth.generateKeyPair('ES256')) }
  const again = async <T>(request: () => Promise<T>): Promise<T> =>
    await request().catch((error) => {
      if (!oauth.isDPoPNonceError(error)) throw error
      return request()
    })
  const auth = oauth.None()
  return {
    logIn: (username, password) =>
      again(async () => {
        const form = new URLSearchParams({ username, password })
        const grant = [as, client, auth, 'password', form, options] as const
        const answer = await oauth.genericTokenEndpointRequest(...grant)
        return await oauth.processGenericTokenEndpointResponse(as, client, answer)
      }),
    refresh: (token) =>
      again(async () => {
        const answer = await oauth.refreshTokenGrantRequest(as, client, auth, token, options)
        return await oauth.processRefreshTokenResponse(as, client, answer)
      }),
    call: (token, resource) =>
      again(async () => {
        const none = [undefined, undefined] as const
        const call = [token, 'GET', resource, ...none, options] as const
        return (await oauth.protectedResourceRequest(...call)).status
      }),
  }
}

async function openOpenidClient(issuer: string, id: string): Promise<BoundClient> {
  const config = await openid.discovery(new URL(issuer), id, undefined, openid.None(), {
    execute: [openid.allowInsecureRequests],
    algorithm: 'oauth2',
  })
  const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('Ed25519'))
  return {
    logIn: (username, password) =>
      openid.genericGrantRequest(config, 'password', { username, password }, { DPoP }),
    refresh: (token) => openid.refreshTokenGrant(config, token, undefined, { DPoP }),
    async call(token, resource) {
      const none = [undefined, undefined] as const
      const call = [config, token, resource, 'GET', ...none, { DPoP }] as const
      return (await openid.fetchProtectedResource(...call)).status
    },
  }
}

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>

/** The `fetch` of AT Protocol's client, which stands in a file of the package that it does not export. */
function wrapFetch(key: JoseKey): Fetch {
  const require = createRequire(import.meta.url)
  const file = join(dirname(require.resolve('@atproto/oauth-client')), 'fetch-dpop.js')
  const { dpopFetchWrapper } = require(file) as {
    dpopFetchWrapper: (options: {
      key: JoseKey
      nonces: Map<string, string>
      supportedAlgs: string[]
    }) => Fetch
  }
  return dpopFetchWrapper({ key, nonces: new Map(), supportedAlgs: ['ES256'] })
}

async function openAtproto(issuer: string, id: string): Promise<BoundClient> {
  const send = wrapFetch(await JoseKey.generate(['ES256']))
  const post = async (form: Record<string, string>) => {
    const body = new URLSearchParams({ client_id: id, ...form })
    const answer = await send(`${issuer}/token`, { method: 'POST', body })
    return (await answer.json()) as BoundTokens
  }
  return {
    logIn: (username, password) => post({ grant_type: 'password', username, password }),
    refresh: (token) => post({ grant_type: 'refresh_token', refresh_token: token }),
    call: async (token, url) =>
      (await send(url, { headers: { authorization: `DPoP ${token}` } })).status,
  }
}

const LIBRARIES = {
  oauth4webapi: openOauth4webapi,
  'openid-client': openOpenidClient,
  '@atproto/oauth-client': openAtproto,
} as const

for (const dpopNonce of ['off', 'token', 'all'] as const) {
  test(`three libraries bind their tokens to a key, nonces: ${dpopNonce}`, async (t) => {
    const scene = await startScene(t, { config: { dpopNonce } })
    const user = await scene.makeUser()
    const { id } = await scene.makeClient({})
    for (const [name, open] of Object.entries(LIBRARIES)) {
      const client = await open(scene.issuer, id)
      const first = await client.logIn(user.username, user.password)
      t.equal(first.token_type.toLowerCase(), 'dpop', name)
      t.match(decodeJwt(first.access_token).cnf, { jkt: /^[\w-]{43}$/ }, name)
      const second = await client.refresh(first.refresh_token ?? '')
      const third = await client.refresh(second.refresh_token ?? '')
      const account = new URL(`${scene.issuer}/users/me`)
      for (let i = 0; i < 2; i += 1)
        t.equal(await client.call(third.access_token, account), 200, name)
      const bare = { headers: { authorization: `Bearer ${third.access_token}` } }
      t.equal((await scene.fetch('/users/me', bare)).status, 401, name)
    }
    const replayed = scene.log.filter(({ reason }) => reason === 'dpop_replayed')
    t.strictSame(replayed, [])
  })
}
