// What the stand-in says of itself (RFC 8414) and of its resource (RFC 9728).

import { DPOP_ALGS } from './dpop.ts'
import type { State } from './state.ts'
import { GRANTS } from './token-endpoint.ts'
import type { Call, Reply } from './wire.ts'

const ASSERTION_ALGS = ['ES256', 'RS256', 'PS256', 'EdDSA']
const METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'tls_client_auth']

export function serveMetadata({ has, ...state }: State, { headers: asked }: Call): Reply {
  const host = has('forwarded-host-believed') ? asked['x-forwarded-host'] : undefined
  const issuer = host === undefined ? state.issuer : `http://${host}/tenant`
  const algs = has('none-among-signing-algs') ? [...ASSERTION_ALGS, 'none'] : ASSERTION_ALGS
  const algMember = has('signing-algs-missing') ? undefined : algs
  const body = {
    issuer: has('metadata-issuer-differs') ? `${issuer}/` : issuer,
    token_endpoint: has('token-endpoint-missing') ? undefined : `${issuer}/token`,
    token_endpoint_auth_methods_supported: [...METHODS, 'none'],
    token_endpoint_auth_signing_alg_values_supported: algMember,
    revocation_endpoint: `${issuer}/revoke`,
    revocation_endpoint_auth_methods_supported: [...METHODS, 'none'],
    revocation_endpoint_auth_signing_alg_values_supported: algMember,
    introspection_endpoint: `${issuer}/introspect`,
    introspection_endpoint_auth_methods_supported: METHODS,
    introspection_endpoint_auth_signing_alg_values_supported: algMember,
    introspection_signing_alg_values_supported: ['RS256'],
    tls_client_certificate_bound_access_tokens: true,
    mtls_endpoint_aliases: has('untrue-auth-method')
      ? undefined
      : { token_endpoint: `${state.mtlsIssuer}/token` },
    jwks_uri: `${issuer}/jwks`,
    grant_types_supported: has('password-grant-unlisted')
      ? GRANTS.filter((name) => name !== 'password')
      : GRANTS,
    response_types_supported: has('response-types-missing') ? undefined : [],
    ...(has('empty-arrays-published') ? { ui_locales_supported: [] } : {}),
    dpop_signing_alg_values_supported: has('dpop-none-published')
      ? [...DPOP_ALGS, 'none']
      : DPOP_ALGS,
  }
  const headers = has('metadata-as-text') ? { 'Content-Type': 'text/plain' } : {}
  return { status: 200, headers, body: has('metadata-as-text') ? JSON.stringify(body) : body }
}

export function serveResourceMetadata({ has, issuer, ownResource }: State): Reply {
  const servers = has('resource-names-another-issuer') ? `${issuer}/other` : issuer
  return {
    status: 200,
    body: {
      resource: ownResource,
      authorization_servers: [servers],
      bearer_methods_supported: ['header'],
    },
  }
}
