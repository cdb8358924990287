// Authorization server metadata (RFC 8414): exactly what is enabled, at the paths of §3.1 and at
// the one where OpenID parsers look.

import type { FastifyInstance } from 'fastify'
import type { CertificateHeader } from '../../certificates/certificate-header.ts'
import { AUTHENTICATION_METHODS } from '../../client-auth/authentication-methods.ts'
import type { ClientOverview } from '../../clients/client-overview.ts'
import type { ClientTable } from '../../clients/client-table.ts'
import { GRANTS } from '../../grants/grants.ts'
import { SIGNING_ALGS } from '../../keys/signing-algorithms.ts'
import { aliasOf } from '../../oauth/issuer-alias.ts'
import { JWS_ALGS } from '../../runtime/jws-algorithms.ts'
import { registerRead } from '../server/endpoint.ts'

const MAX_AGE_SECONDS = 60

export interface MetadataRouteDependencies {
  readonly issuer: string
  /** The path of the issuer, empty when it has none. */
  readonly basePath: string
  readonly clients: Pick<ClientTable, 'overview'>
  /** Whether certificates of clients are seen: here, or by proxies. */
  readonly tls: object | undefined
  readonly trustProxy: readonly string[]
  readonly certificateHeader: CertificateHeader | 'off'
  readonly mtlsOrigin: string | undefined
}

export function registerMetadata(
  app: FastifyInstance,
  dependencies: MetadataRouteDependencies,
): void {
  const { basePath, clients } = dependencies
  const wellKnown = '/.well-known/oauth-authorization-server'
  const serve = (path: string, extra: object) => {
    // It changes with the clients only, and then the overview is another object.
    const built = new WeakMap<ClientOverview, string>()
    registerRead(app, path, (_request, reply) => {
      const overview = clients.overview()
      let body = built.get(overview)
      if (body === undefined) {
        body = JSON.stringify({ ...buildMetadata(dependencies, overview), ...extra })
        built.set(overview, body)
      }
      reply.header('cache-control', `public, max-age=${MAX_AGE_SECONDS}`)
      return reply.type('application/json; charset=utf-8').send(body)
    })
  }
  serve(`${basePath}${wellKnown}`, {})
  if (basePath !== '') serve(`${wellKnown}${basePath}`, {})
  serve(`${basePath}/.well-known/openid-configuration`, {
    subject_types_supported: ['public'],
    // Some verifiers use this list for access tokens too, and cache it. So it names every algorithm
    // that may ever sign, or they would refuse tokens after the algorithm was changed.
    id_token_signing_alg_values_supported: SIGNING_ALGS,
  })
}

function buildMetadata(
  { issuer, mtlsOrigin, ...sources }: MetadataRouteDependencies,
  { grantCounts, publicScopes }: ClientOverview,
) {
  const seesCertificates = hasSource(sources)
  const methods = AUTHENTICATION_METHODS.filter(
    ({ byCertificate }) => seesCertificates || !byCertificate,
  )
  const names = methods.map(({ method }) => method)
  return {
    issuer,
    ...endpointsAt(issuer),
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    // Without the scopes of confidential clients, which are not public. No empty list (RFC 8414
    // §3.2).
    ...(publicScopes.length > 0 && { scopes_supported: publicScopes }),
    // There is no authorization endpoint; the member is required all the same (RFC 8414 §2).
    response_types_supported: [],
    grant_types_supported: GRANTS.filter(
      ({ listedAs, isDeprecated }) => !isDeprecated || grantCounts.has(listedAs),
    ).map(({ name }) => name),
    // RFC 9449 §5.1
    dpop_signing_alg_values_supported: JWS_ALGS,
    token_endpoint_auth_methods_supported: names,
    token_endpoint_auth_signing_alg_values_supported: JWS_ALGS,
    revocation_endpoint_auth_methods_supported: names,
    revocation_endpoint_auth_signing_alg_values_supported: JWS_ALGS,
    introspection_endpoint_auth_signing_alg_values_supported: JWS_ALGS,
    // No public client may use it.
    introspection_endpoint_auth_methods_supported: methods
      .filter(({ proof }) => proof !== 'nothing')
      .map(({ method }) => method),
    // RFC 8705 §3.3 and §5
    ...(seesCertificates && { tls_client_certificate_bound_access_tokens: true }),
    ...(seesCertificates &&
      mtlsOrigin && { mtls_endpoint_aliases: endpointsAt(aliasOf(issuer, mtlsOrigin)) }),
  }
}

/** Whether a certificate can be seen at all: on a connection, or in what a proxy passes on. */
function hasSource({
  tls,
  trustProxy,
  certificateHeader,
}: Pick<MetadataRouteDependencies, 'tls' | 'trustProxy' | 'certificateHeader'>): boolean {
  return tls !== undefined || (trustProxy.length > 0 && certificateHeader !== 'off')
}

function endpointsAt(base: string) {
  return {
    token_endpoint: `${base}/token`,
    revocation_endpoint: `${base}/revoke`,
    introspection_endpoint: `${base}/introspect`,
  }
}
