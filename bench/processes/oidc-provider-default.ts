// oidc-provider with a public client and what it does by default about refresh tokens: those of public
// clients are rotated with each use. Its models are in its own memory.

import { exportJWK, generateKeyPair } from 'jose'
import Provider, { type JWK } from 'oidc-provider'
import { registerPasswordGrant } from '../../packages/conformance/test/oidc-provider-password.ts'
import { listen } from '../programs/http-program.ts'

const RESOURCE = 'https://api.example.test'
const SCOPE = 'api:read'

const { privateKey } = await generateKeyPair('ES256', { extractable: true })

const provider = new Provider('http://localhost', {
  clients: [
    {
      client_id: 'app',
      token_endpoint_auth_method: 'none',
      grant_types: ['password', 'refresh_token'],
      redirect_uris: [],
      response_types: [],
      scope: SCOPE,
    },
  ],
  clientAuthMethods: ['none'],
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  cookies: { keys: ['a-key-for-cookies-that-nobody-gets'] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  issueRefreshToken: () => true,
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' } as JWK] },
  responseTypes: [],
  scopes: [SCOPE],
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => RESOURCE,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: SCOPE, accessTokenFormat: 'opaque' }),
    },
  },
})
await registerPasswordGrant(provider, async (username) => ({ id: username }))
listen(provider.callback())
