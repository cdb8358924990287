// grant_type=token-exchange (RFC 8693): a live token of ours for another one, for another service, by
// the policy of the client that asks. One question to the store for each token that it brings.

import type { Client } from '../clients/client.ts'
import { TOKEN_EXCHANGE } from '../clients/client-exchange.ts'
import type { ExchangePolicy } from '../clients/client-settings.ts'
import type { Actor } from '../oauth/actor.ts'
import { isShown } from '../oauth/confirmation.ts'
import { EXCHANGES_MAX } from '../oauth/exchange-trail.ts'
import { OAuthError } from '../oauth/oauth-error.ts'
import { type Parameters, requireParameter } from '../oauth/parameters.ts'
import { parseResources } from '../oauth/resource.ts'
import { inOrder, parseScope } from '../oauth/scope.ts'
import { toSeconds } from '../runtime/clock.ts'
import { type AccessTokenClaims, subjectTypeOf } from '../tokens/access-token.ts'
import { buildExchangedClaims, trailOf } from '../tokens/exchanged-claims.ts'
import { defineGrant, type GrantContext, type GrantServices, type IssuedTokens } from './grant.ts'
import { type RequestedTarget, readTarget } from './granted.ts'

const PARAMETERS = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'audience',
] as const

export const tokenExchange = defineGrant({
  name: TOKEN_EXCHANGE,
  listedAs: TOKEN_EXCHANGE,
  loadClass: 'client_credentials',
  // Whoever knows the id of a public client would exchange whatever token he finds.
  confidentialOnly: true,
  isDeprecated: false,
  parameters: PARAMETERS,
  parse,
  issue,
})

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
/** RFC 8693 §3: an access token of ours is both. */
const TOKEN_TYPES: readonly string[] = [ACCESS_TOKEN, 'urn:ietf:params:oauth:token-type:jwt']

interface ExchangeRequest extends RequestedTarget {
  readonly subjectToken: string
  readonly actorToken: string | undefined
  readonly audience: string | undefined
  readonly issuedTokenType: string
}

function parse(form: Parameters<(typeof PARAMETERS)[number] | 'scope'>): ExchangeRequest {
  const subjectToken = requireParameter(form, 'subject_token')
  const subjectType = requireParameter(form, 'subject_token_type')
  const actorToken = form.get('actor_token')
  const actorType = form.get('actor_token_type')
  // RFC 8693 §2.1: neither without the other.
  if ((actorToken === undefined) !== (actorType === undefined)) {
    const parameter = actorToken === undefined ? 'actor_token' : 'actor_token_type'
    throw new OAuthError('parameter_missing', { parameter })
  }
  const issuedTokenType = form.get('requested_token_type') ?? ACCESS_TOKEN
  const types = [subjectType, actorType ?? ACCESS_TOKEN, issuedTokenType]
  if (!types.every((type) => TOKEN_TYPES.includes(type))) {
    throw new OAuthError('exchange_token_type_unsupported')
  }
  const audience = form.get('audience')
  return { subjectToken, actorToken, audience, issuedTokenType, ...readTarget(form) }
}

/** Throws OAuthError `unauthorized_client`, `invalid_target`, `invalid_request` or `invalid_scope`. */
async function issue(
  request: ExchangeRequest,
  context: GrantContext,
  services: GrantServices,
): Promise<IssuedTokens> {
  const { client, confirm, source } = context
  const rules = findRules(request, client)
  const subject = (await services.checkToken(request.subjectToken))?.claims
  if (!subject) throw new OAuthError('exchange_subject_inactive')
  const rule = rules.find(({ subjectClients }) => subjectClients.includes(subject.client_id))
  if (!rule) throw new OAuthError('exchange_subject_of_other_client')
  if (trailOf(subject).length > EXCHANGES_MAX) throw new OAuthError('exchange_chain_too_deep')
  const scope = narrowScope(request.scope, subject, rule)
  const actor = await findActor(request, rule, context, services)
  const actorId = actor?.sub ?? client.id
  // RFC 8693 §4.4: the one that is named comes by itself. That somebody else holds a token of it says
  // little, because a client shows its tokens to all whom it calls.
  const named = subject.may_act?.sub
  if (named !== undefined && !(named === client.id && named === actorId)) {
    throw new OAuthError('exchange_actor_not_allowed')
  }
  const { audience, mode } = rule
  const confirmation = await confirm()
  const nowMs = services.clock()
  const claims = buildExchangedClaims({
    subject,
    client,
    audience,
    scope,
    confirmation,
    act: mode === 'delegation' ? actFor(actorId, subject) : subject.act,
    mayAct: rule.mayAct === undefined ? undefined : { sub: rule.mayAct },
    actor,
    nowMs,
  })
  services.recordEvent({
    type: 'token.exchanged',
    subject: subject.sub,
    clientId: client.id,
    ...(subject.sid !== undefined && { sessionId: subject.sid }),
    detail: { actor: actorId, audience, mode },
    ...source,
  })
  return {
    accessToken: services.tokens.sign(claims, client),
    expiresInSeconds: Math.max(0, claims.exp - toSeconds(nowMs)),
    scope,
    refreshToken: undefined,
    issuedTokenType: request.issuedTokenType,
  }
}

/**
 * The rules for the one target that is asked for, else all: the first of them that fits is taken. A token
 * is for one service, so two targets are none.
 */
function findRules(
  { audience, resources }: ExchangeRequest,
  { exchange }: Client,
): readonly ExchangePolicy[] {
  if (exchange.length === 0) throw new OAuthError('exchange_no_policy')
  const targets = new Set(parseResources(resources))
  if (audience !== undefined) targets.add(audience)
  if (targets.size === 0) return exchange
  const rules = exchange.filter((rule) => targets.has(rule.audience))
  if (targets.size > 1 || rules.length === 0) throw new OAuthError('exchange_target_not_allowed')
  return rules
}

/** What is asked for, else all that the subject token and the rule have in common. */
function narrowScope(
  requested: string | undefined,
  { scope = '' }: AccessTokenClaims,
  rule: ExchangePolicy,
): string[] {
  const held = scope.split(' ')
  const allowed = rule.scopes.filter((word) => held.includes(word))
  if (requested === undefined) return allowed
  const words = parseScope(requested)
  if (!words.every((word) => allowed.includes(word))) throw new OAuthError('exchange_scope_wider')
  return inOrder(words, allowed)
}

/** What the actor token says; undefined without one, where the client itself acts (RFC 8693 §2.1). */
async function findActor(
  { actorToken }: ExchangeRequest,
  { mode, subjectClients }: ExchangePolicy,
  { client, confirm }: GrantContext,
  { checkToken }: GrantServices,
): Promise<AccessTokenClaims | undefined> {
  if (actorToken === undefined) return undefined
  // An actor who would not be named in the token is not what was asked for.
  if (mode === 'impersonation') throw new OAuthError('exchange_actor_not_named')
  const actor = (await checkToken(actorToken))?.claims
  if (!actor) throw new OAuthError('exchange_actor_inactive')
  // Somebody acts by a token of their own: for whom another one acts cannot be told in `act`.
  if (actor.exchanged_from) throw new OAuthError('exchange_actor_exchanged')
  // Whether a second user is still there would be a second question to the store, at every check.
  if (subjectTypeOf(actor) !== 'client') throw new OAuthError('exchange_actor_no_client')
  if (actor.client_id !== client.id && !subjectClients.includes(actor.client_id)) {
    throw new OAuthError('exchange_actor_of_other_client')
  }
  if (!isShown(actor.cnf, await confirm())) throw new OAuthError('exchange_actor_unproven')
  return actor
}

/** The newest actor, with those before it (RFC 8693 §4.1). */
function actFor(sub: string, { act }: AccessTokenClaims): Actor {
  return act ? { sub, act } : { sub }
}
