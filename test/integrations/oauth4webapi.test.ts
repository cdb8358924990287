// oauth4webapi, the low-level client of the web platform: a function for each request and one for
// each answer. It also verifies access tokens as RFC 9068 says.

import * as oauth from 'oauth4webapi'
import { test } from 'tap'
import { API, makeConfidentialClient, OTHER_API, startScene } from '../scenes/integration-scene.ts'
import {
  type ClientSettings,
  type LibraryClient,
  runClientSuite,
  type Tokens,
} from './client-suite.ts'
import { toParameters } from './token-parameters.ts'

/** Plain HTTP has to be asked for, because no production issuer speaks it. */
const HTTP = { [oauth.allowInsecureRequests]: true } as const

async function discover(issuer: string, algorithm: 'oauth2' | 'oidc') {
  const url = new URL(issuer)
  const answer = await oauth.discoveryRequest(url, { ...HTTP, algorithm })
  return await oauth.processDiscoveryResponse(url, answer)
}

function authenticate({ secret, method }: ClientSettings): oauth.ClientAuth {
  if (method === 'none') return oauth.None()
  const by = method === 'client_secret_basic' ? oauth.ClientSecretBasic : oauth.ClientSecretPost
  return by(secret)
}

function toTokens(answer: oauth.TokenEndpointResponse): Tokens {
  return {
    accessToken: answer.access_token,
    tokenType: answer.token_type,
    expiresIn: answer.expires_in ?? 0,
    scope: answer.scope ?? '',
    refreshToken: answer.refresh_token,
  }
}

async function open(settings: ClientSettings): Promise<LibraryClient> {
  const as = await discover(settings.issuer, 'oauth2')
  const client: oauth.Client = { client_id: settings.id }
  const auth = authenticate(settings)
  return {
    async requestByCredentials(wishes = {}) {
      const parameters = toParameters(wishes)
      const answer = oauth.clientCredentialsGrantRequest(as, client, auth, parameters, HTTP)
      return toTokens(await oauth.processClientCredentialsResponse(as, client, await answer))
    },
    async logIn(username, password, wishes = {}) {
      const parameters = toParameters(wishes)
      parameters.set('username', username)
      parameters.set('password', password)
      const grant = [as, client, auth, 'password', parameters, HTTP] as const
      const answer = await oauth.genericTokenEndpointRequest(...grant)
      return toTokens(await oauth.processGenericTokenEndpointResponse(as, client, answer))
    },
    async refresh(refreshToken, wishes = {}) {
      const options = { ...HTTP, additionalParameters: toParameters(wishes) }
      const answer = oauth.refreshTokenGrantRequest(as, client, auth, refreshToken, options)
      return toTokens(await oauth.processRefreshTokenResponse(as, client, await answer))
    },
    async revoke(token, kind) {
      const options = { ...HTTP, additionalParameters: { token_type_hint: kind } }
      const answer = await oauth.revocationRequest(as, client, auth, token, options)
      await oauth.processRevocationResponse(answer)
    },
    async introspect(token) {
      const answer = await oauth.introspectionRequest(as, client, auth, token, HTTP)
      return { ...(await oauth.processIntrospectionResponse(as, client, answer)) }
    },
  }
}

/** Two classes: one for a challenge, which a 401 carries, one for the body of all others. */
async function readCode(error: unknown): Promise<string> {
  if (error instanceof oauth.ResponseBodyError) return error.error
  if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error
  const body = (await error.response.json()) as { error: string }
  return error.cause.some(({ scheme }) => scheme === 'basic') ? body.error : 'no Basic challenge'
}

runClientSuite({
  name: 'oauth4webapi',
  discover: (issuer) => Promise.all([discover(issuer, 'oauth2'), discover(issuer, 'oidc')]),
  open,
  codeOf: readCode,
  encodesBasic: true,
  repeatsResource: true,
})

test('oauth4webapi: refuses the metadata of another issuer (C80)', async (t) => {
  const { url } = await startScene(t, { issuer: 'https://auth.example.test' })
  for (const algorithm of ['oauth2', 'oidc'] as const) {
    await t.rejects(discover(url, algorithm), { code: oauth.JSON_ATTRIBUTE_COMPARISON })
  }
})

test('oauth4webapi: verifies access tokens as a resource server (RFC 9068 §4)', async (t) => {
  const scene = await startScene(t)
  const as = await discover(scene.issuer, 'oauth2')
  const { id, secret } = await makeConfidentialClient(scene)
  const client = await open({ issuer: scene.issuer, id, secret, method: 'client_secret_basic' })
  const { accessToken } = await client.requestByCredentials()
  const verify = (token: string, audience = API) => {
    const headers = { authorization: `Bearer ${token}` }
    const request = new Request(API, { headers })
    return oauth.validateJwtAccessToken(as, request, audience, HTTP)
  }
  t.match(await verify(accessToken), { sub: id, client_id: id, scope: 'notes:read' })
  await t.rejects(verify(accessToken, OTHER_API), { code: oauth.JWT_CLAIM_COMPARISON })
  await t.rejects(verify(`${accessToken.slice(0, -8)}AAAAAAAA`))
})
