// openid-client v6, the certified OpenID relying party: one configuration from discovery, one call
// a grant. The password grant goes through its call for grants that it does not know itself.

import * as client from 'openid-client'
import { test } from 'tap'
import { startScene } from '../scenes/integration-scene.ts'
import {
  type ClientSettings,
  type LibraryClient,
  runClientSuite,
  type Tokens,
} from './client-suite.ts'
import { toParameters } from './token-parameters.ts'

/** Plain HTTP has to be asked for, because no production issuer speaks it. */
const PLAIN_HTTP = [client.allowInsecureRequests]

function authenticate({ secret, method }: ClientSettings): client.ClientAuth {
  if (method === 'none') return client.None()
  const by = method === 'client_secret_basic' ? client.ClientSecretBasic : client.ClientSecretPost
  return by(secret)
}

function configure(
  settings: ClientSettings,
  algorithm: 'oauth2' | 'oidc' = 'oidc',
): Promise<client.Configuration> {
  const { issuer, id } = settings
  const options = { execute: PLAIN_HTTP, algorithm }
  return client.discovery(new URL(issuer), id, undefined, authenticate(settings), options)
}

async function discover(issuer: string): Promise<Record<string, unknown>[]> {
  const settings = { issuer, id: 'nobody', secret: '', method: 'none' } as const
  const found = (['oauth2', 'oidc'] as const).map((algorithm) => configure(settings, algorithm))
  return (await Promise.all(found)).map((config) => ({ ...config.serverMetadata() }))
}

function toTokens(answer: client.TokenEndpointResponse): Tokens {
  return {
    accessToken: answer.access_token,
    tokenType: answer.token_type,
    expiresIn: answer.expires_in ?? 0,
    scope: answer.scope ?? '',
    refreshToken: answer.refresh_token,
  }
}

async function open(settings: ClientSettings): Promise<LibraryClient> {
  const config = await configure(settings)
  return {
    async requestByCredentials(wishes = {}) {
      return toTokens(await client.clientCredentialsGrant(config, toParameters(wishes)))
    },
    async logIn(username, password, wishes = {}) {
      const parameters = toParameters(wishes)
      parameters.set('username', username)
      parameters.set('password', password)
      return toTokens(await client.genericGrantRequest(config, 'password', parameters))
    },
    async refresh(refreshToken, wishes = {}) {
      return toTokens(await client.refreshTokenGrant(config, refreshToken, toParameters(wishes)))
    },
    revoke: (token, kind) => client.tokenRevocation(config, token, { token_type_hint: kind }),
    introspect: async (token) => ({ ...(await client.tokenIntrospection(config, token)) }),
  }
}

/** Two classes: one for a challenge, which a 401 carries, one for the body of all others. */
async function readCode(error: unknown): Promise<string> {
  if (error instanceof client.ResponseBodyError) return error.error
  if (!(error instanceof client.WWWAuthenticateChallengeError)) throw error
  const body = (await error.response.json()) as { error: string }
  return error.cause.some(({ scheme }) => scheme === 'basic') ? body.error : 'no Basic challenge'
}

runClientSuite({
  name: 'openid-client',
  discover,
  open,
  codeOf: readCode,
  encodesBasic: true,
  repeatsResource: true,
})

test('openid-client: refuses the metadata of another issuer (C80)', async (t) => {
  const { url } = await startScene(t, { issuer: 'https://auth.example.test' })
  await t.rejects(discover(url), { code: 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED' })
})

test('openid-client: counts down the life of a token and calls an API with it', async (t) => {
  const scene = await startScene(t)
  const { id, secret } = await scene.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['lineage:admin'],
    defaultScopes: ['lineage:admin'],
    audiences: [scene.issuer],
  })
  const { issuer } = scene
  const config = await configure({ issuer, id, secret, method: 'client_secret_basic' })
  const tokens = await client.clientCredentialsGrant(config)
  const lifeSeconds = tokens.expiresIn()
  t.ok(lifeSeconds !== undefined && lifeSeconds > 590 && lifeSeconds <= 600)
  const url = new URL(`${issuer}/admin/users`)
  const answer = await client.fetchProtectedResource(config, tokens.access_token, url, 'GET')
  t.equal(answer.status, 200)
})
