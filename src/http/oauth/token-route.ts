// POST /token (RFC 6749 §3.2): the five steps of docs/architecture.md, in their order.

import type { FastifyInstance } from 'fastify'
import type { Admission } from '../../admission/admission.ts'
import { type StepAside, stepAsideFor } from '../../assertions/step-aside.ts'
import type { Client } from '../../clients/client.ts'
import type { CheckedProof } from '../../dpop/dpop-verifier.ts'
import type { Grant, GrantServices, IssuedTokens } from '../../grants/grant.ts'
import { findGrant } from '../../grants/grants.ts'
import { tokenTypeOf } from '../../oauth/confirmation.ts'
import { OAuthError } from '../../oauth/oauth-error.ts'
import type { Parameters } from '../../oauth/parameters.ts'
import { callerSignal } from '../server/caller-signal.ts'
import type { EndpointReply, EndpointRequest } from '../server/endpoint.ts'
import { sourceOf } from '../server/request-source.ts'
import { checkBrowserCall, findNamedCookieClient } from './browser-client.ts'
import { confirmSender, readSenderProof, type SenderConfirmation } from './confirm-sender.ts'
import { authenticateSender, registerFormEndpoint, type SenderCheck } from './oauth-endpoint.ts'
import type { TokenCookies } from './token-cookies.ts'

export interface TokenRouteDependencies extends SenderCheck, SenderConfirmation {
  readonly admission: Admission
  readonly cookies: TokenCookies
  readonly grants: GrantServices
}

export function registerToken(app: FastifyInstance, dependencies: TokenRouteDependencies): void {
  const { admission } = dependencies
  const ofRefreshes = withKeysAside(dependencies, admission.stepAside)
  registerFormEndpoint(app, '/token', async (form, request, reply) => {
    const grant = findGrant(form)
    request.grant = grant.name
    return await admission.run(grant.loadClass, {
      begin: () => {
        const ofClass = grant.loadClass === 'refresh' ? ofRefreshes : dependencies
        return answer(grant, form, { request, reply }, ofClass)
      },
      hasLeft: () => reply.raw.destroyed,
    })
  })
}

/** Somebody else's server may take seconds to say whose key it is; no other refresh waits for that. */
function withKeysAside(
  dependencies: TokenRouteDependencies,
  stepAside: StepAside,
): TokenRouteDependencies {
  const { assertions, trust } = dependencies
  const remoteKeys = stepAsideFor(assertions.remoteKeys, stepAside)
  return {
    ...dependencies,
    assertions: { ...assertions, remoteKeys },
    trust: { ...trust, remoteKeys },
  }
}

interface Exchange {
  readonly request: EndpointRequest
  readonly reply: EndpointReply
}

async function answer(
  grant: Grant,
  form: Parameters,
  { request, reply }: Exchange,
  dependencies: TokenRouteDependencies,
) {
  const { cookies, grants, recordEvent } = dependencies
  const hasOwnToken = form.get('refresh_token') !== undefined
  const mayBringCookie = !hasOwnToken && request.headers.cookie !== undefined
  const cookieToken = mayBringCookie && (await findCookieToken(request, form, dependencies))
  const issue = grant.read(cookieToken ? withToken(form, cookieToken) : form)
  const proof = readSenderProof(request, reply, dependencies)
  const client = await authenticateSender(request, form, dependencies)
  if (!mayUse(client, grant)) throw new OAuthError('grant_type_not_allowed')
  const usesCookies = client.tokenDelivery === 'cookie'
  if (usesCookies) checkBrowserCall(request, client, cookies, hasOwnToken)
  const source = sourceOf(request, client)
  const confirm = confirmSender(request, proof, client, dependencies)
  const context = { client, source, confirm, callerSignal: () => callerSignal(reply) }
  let issued: IssuedTokens
  try {
    issued = await issue(context, grants)
  } catch (error) {
    const isRefusal = error instanceof OAuthError && error.code === 'invalid_grant'
    if (usesCookies && isRefusal) cookies.clearSent(request, reply, client)
    throw error
  }
  if (usesCookies && !cookies.set(request, reply, client, issued)) {
    recordEvent({ type: 'client.cookie_too_large', clientId: client.id, ...source })
  }
  return toTokenResponse(issued, proof, !usesCookies)
}

/** A public client may never use what is for confidential ones, whatever the table says. */
function mayUse(client: Client, { listedAs, confidentialOnly }: Grant): boolean {
  return client.grantTypes.includes(listedAs) && !(confidentialOnly && client.type === 'public')
}

/** What stands in for a `refresh_token` that the form lacks: the cookie of the client it names. */
async function findCookieToken(
  request: EndpointRequest,
  form: Parameters,
  { clients, cookies }: TokenRouteDependencies,
): Promise<string | undefined> {
  const client = await findNamedCookieClient(request, form, clients)
  // An empty value counts as absent, as in a form. Two cookies are refused later, by
  // checkBrowserCall.
  return client && cookies.readRefreshTokens(request, client).find((value) => value !== '')
}

/** The form as if it had the refresh token, which it lacks. */
function withToken({ get, resources }: Parameters, refreshToken: string): Parameters {
  return { get: (name) => (name === 'refresh_token' ? refreshToken : get(name)), resources }
}

/**
 * The successful answer (RFC 6749 §5.1). `scope` is always told, so that nobody has to guess what
 * was granted; until when one can refresh also to those whose refresh token is in a cookie.
 */
function toTokenResponse(
  issued: IssuedTokens,
  proof: CheckedProof | undefined,
  withRefreshToken: boolean,
) {
  const { refreshToken } = issued
  // A member that is undefined is left out of the JSON.
  return {
    access_token: issued.accessToken,
    issued_token_type: issued.issuedTokenType,
    token_type: tokenTypeOf(proof && { jkt: proof.thumbprint }),
    expires_in: issued.expiresInSeconds,
    scope: issued.scope.join(' '),
    refresh_token: withRefreshToken ? refreshToken?.token : undefined,
    refresh_token_expires_in: refreshToken?.expiresInSeconds,
    authorization_expires_in: refreshToken?.authorizationExpiresInSeconds,
  }
}
