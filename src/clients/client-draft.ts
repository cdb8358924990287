// What an administrator may say about a client, checked as a whole. Pure: the JSON members go in,
// a draft that may be stored or every problem comes out. Their types are checked before, by the
// schema of the route.

import type { Checked, FieldError } from '../runtime/field-error.ts'
import type { Client } from './client.ts'
import { checkBoundTokens } from './client-bound-tokens.ts'
import { checkCertificates } from './client-certificates.ts'
import { type ClientChoices, checkChoices, defaultMethods } from './client-choices.ts'

import { checkExchange } from './client-exchange.ts'
import { checkFederation } from './client-federation.ts'
import { checkKeys } from './client-keys.ts'
import { checkLists } from './client-lists.ts'
import { checkRefresh } from './client-refresh.ts'
import { checkSigningAlg } from './client-signing.ts'

const NAME_LENGTH_MAX = 200
const TTL_SECONDS_MAX = 10 * 365 * 24 * 60 * 60
const GRACE_SECONDS_MAX = 300

/** The limits that follow the configuration where a client states none. */
export type ClientLimits = Pick<
  Client,
  | 'accessTokenTtlSeconds'
  | 'refreshIdleTtlSeconds'
  | 'refreshAbsoluteTtlSeconds'
  | 'refreshGraceSeconds'
>

/** A client as it is stored: a null limit follows the configuration, also when that changes. */
export type ClientDraft = Omit<
  Client,
  'id' | 'sessionsValidFrom' | 'secrets' | 'createdAt' | 'updatedAt' | keyof ClientLimits
> & { readonly [Limit in keyof ClientLimits]: number | null }

/** The members of a request, their JSON types checked; null means absent (RFC 7396). */
export type ClientInput = {
  readonly [Member in keyof ClientDraft]?: ClientDraft[Member] | null | undefined
}

/** A client to be, with the slug that an administrator may choose for it. */
export type NewClientInput = ClientInput & { readonly id?: string }

/**
 * Fills in the defaults and checks every rule of a client with the limits in force
 * (docs/semantics.md §5).
 */
export function draftClient(
  input: ClientInput,
  defaults: ClientLimits,
  choices: ClientChoices,
): Checked<ClientDraft> {
  const { name, type, grantTypes } = input
  const missing = Object.entries({ name, type, grantTypes })
    .filter(([, value]) => value == null)
    .map(([member]) => ({ pointer: `/${member}`, detail: 'is required' }))
  if (name == null || type == null || grantTypes == null) return { ok: false, errors: missing }
  const draft: ClientDraft = {
    name,
    type,
    grantTypes,
    scopes: input.scopes ?? [],
    defaultScopes: input.defaultScopes ?? [],
    audiences: input.audiences ?? [],
    authMethods: input.authMethods ?? defaultMethods(type, choices),
    accessTokenTtlSeconds: input.accessTokenTtlSeconds ?? null,
    refreshIdleTtlSeconds: input.refreshIdleTtlSeconds ?? null,
    refreshAbsoluteTtlSeconds: input.refreshAbsoluteTtlSeconds ?? null,
    refreshGraceSeconds: input.refreshGraceSeconds ?? null,
    tokenDelivery: input.tokenDelivery ?? 'body',
    accessTokenCookie: input.accessTokenCookie ?? false,
    allowedOrigins: input.allowedOrigins ?? [],
    forwardsClientIp: input.forwardsClientIp ?? false,
    requireFactor: input.requireFactor ?? false,
    jwks: input.jwks ?? null,
    jwksUri: input.jwksUri ?? null,
    allowPrivateNetwork: input.allowPrivateNetwork ?? false,
    assertionAlgs: input.assertionAlgs ?? [],
    federatedIdentities: input.federatedIdentities ?? [],
    exchange: input.exchange ?? [],
    dpopBoundAccessTokens: input.dpopBoundAccessTokens ?? false,
    tlsClientAuth: input.tlsClientAuth ?? null,
    tlsClientCertificateBoundAccessTokens: input.tlsClientCertificateBoundAccessTokens ?? false,
    refreshRotation: input.refreshRotation ?? 'always',
    refreshRotateAfterSeconds: input.refreshRotateAfterSeconds ?? 0,
    signingAlg: input.signingAlg ?? null,
  }
  const errors = [
    ...checkName(draft.name),
    ...checkLists(draft, choices),
    ...checkChoices(draft, choices),
    ...checkKeys(draft),
    ...checkExchange(draft),
    ...checkCertificates(draft),
    ...checkDelivery(draft),
    ...checkBoundTokens(draft),
    ...checkFederation(draft),
    ...checkLimits(draft, defaults),
    ...checkRefresh({ ...draft, ...effectiveLimits(draft, defaults) }),
    ...checkSigningAlg(draft, choices),
  ]
  return errors.length === 0 ? { ok: true, value: draft } : { ok: false, errors }
}

/** The limits that are in force: the client's own, else the configuration's. */
export function effectiveLimits(
  stated: Pick<ClientDraft, keyof ClientLimits>,
  defaults: ClientLimits,
): ClientLimits {
  return {
    accessTokenTtlSeconds: stated.accessTokenTtlSeconds ?? defaults.accessTokenTtlSeconds,
    refreshIdleTtlSeconds: stated.refreshIdleTtlSeconds ?? defaults.refreshIdleTtlSeconds,
    refreshAbsoluteTtlSeconds:
      stated.refreshAbsoluteTtlSeconds ?? defaults.refreshAbsoluteTtlSeconds,
    refreshGraceSeconds: stated.refreshGraceSeconds ?? defaults.refreshGraceSeconds,
  }
}

function checkName(name: string): FieldError[] {
  const isGood =
    name.trim() !== '' && [...name].length <= NAME_LENGTH_MAX && !/[\p{Cc}\p{Cs}]/u.test(name)
  const detail = `must be 1 to ${NAME_LENGTH_MAX} characters, no control characters`
  return isGood ? [] : [{ pointer: '/name', detail }]
}

function checkDelivery({ tokenDelivery, allowedOrigins }: ClientDraft): FieldError[] {
  if (tokenDelivery !== 'cookie' || allowedOrigins.length > 0) return []
  return [{ pointer: '/allowedOrigins', detail: 'must not be empty with cookie delivery' }]
}

function checkLimits(draft: ClientDraft, defaults: ClientLimits): FieldError[] {
  const errors = [
    ...checkLimit('accessTokenTtlSeconds', draft, 1, TTL_SECONDS_MAX),
    ...checkLimit('refreshIdleTtlSeconds', draft, 1, TTL_SECONDS_MAX),
    ...checkLimit('refreshAbsoluteTtlSeconds', draft, 1, TTL_SECONDS_MAX),
    ...checkLimit('refreshGraceSeconds', draft, 0, GRACE_SECONDS_MAX),
  ]
  const limits = effectiveLimits(draft, defaults)
  if (limits.refreshIdleTtlSeconds > limits.refreshAbsoluteTtlSeconds) {
    const detail = 'must not be over refreshAbsoluteTtlSeconds'
    errors.push({ pointer: '/refreshIdleTtlSeconds', detail })
  }
  // A retry within the grace gives the same access token, which must not have expired by then.
  if (limits.accessTokenTtlSeconds <= limits.refreshGraceSeconds) {
    const detail = 'must be above refreshGraceSeconds'
    errors.push({ pointer: '/accessTokenTtlSeconds', detail })
  }
  return errors
}

function checkLimit(
  limit: keyof ClientLimits,
  draft: ClientDraft,
  min: number,
  max: number,
): FieldError[] {
  const value = draft[limit]
  if (value === null || (Number.isInteger(value) && value >= min && value <= max)) return []
  return [{ pointer: `/${limit}`, detail: `must be a whole number from ${min} to ${max}` }]
}
