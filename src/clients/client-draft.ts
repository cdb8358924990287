// What an administrator may say about a client, checked as a whole. Pure: the JSON members go in,
// a draft that may be stored or every problem comes out. Their types are checked before, by the
// schema of the route.

import { SCOPE_TOKEN } from '../oauth/scope.ts'
import type { Checked, FieldError } from '../runtime/field-error.ts'
import type { Client } from './client.ts'
import { type ClientChoices, checkChoices, defaultMethods } from './client-choices.ts'

const NAME_LENGTH_MAX = 200
const LIST_LENGTH_MAX = 100
const SCOPE_LENGTH_MAX = 128
const AUDIENCE_LENGTH_MAX = 512
const ORIGIN_LENGTH_MAX = 256
/** Bound on scopes and audiences, so that a token with all of them and all roles is below 8 KiB. */
const TARGET_BYTES_MAX = 2560
/** The same for a token in a cookie, which with name and signature must stay below 4 KiB. */
const COOKIE_TARGET_BYTES_MAX = 2048
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
  }
  const errors = [
    ...checkName(draft.name),
    ...checkLists(draft, choices),
    ...checkChoices(draft, choices),
    ...checkDelivery(draft),
    ...checkLimits(draft, defaults),
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

const SCOPE_DETAIL = `must be a scope (RFC 6749 §3.3) of at most ${SCOPE_LENGTH_MAX} characters`
const AUDIENCE_DETAIL = `must be 1 to ${AUDIENCE_LENGTH_MAX} characters, none of them a space or control`

function checkLists(draft: ClientDraft, { grants }: ClientChoices): FieldError[] {
  const names = grants.map(({ name }) => name)
  const scopes = new Set(draft.scopes)
  return [
    ...checkList(
      'grantTypes',
      draft.grantTypes,
      (name) => names.includes(name),
      `must be one of ${names.join(', ')}`,
    ),
    ...checkList('authMethods', draft.authMethods),
    ...checkList('scopes', draft.scopes, isScope, SCOPE_DETAIL),
    ...checkList(
      'defaultScopes',
      draft.defaultScopes,
      (scope) => scopes.has(scope),
      'must be one of the scopes',
    ),
    ...checkList('audiences', draft.audiences, isAudience, AUDIENCE_DETAIL),
    ...checkTarget(draft),
    ...checkList(
      'allowedOrigins',
      draft.allowedOrigins,
      isOrigin,
      'must be an origin as a browser sends it, such as https://app.example',
    ),
  ]
}

/** Bounds the size of tokens, so that gateways and our verifier take them. */
function checkTarget({ scopes, audiences, ...draft }: ClientDraft): FieldError[] {
  const isCookie = draft.tokenDelivery === 'cookie' && draft.accessTokenCookie
  const most = isCookie ? COOKIE_TARGET_BYTES_MAX : TARGET_BYTES_MAX
  const bytes = Buffer.byteLength(JSON.stringify([scopes.join(' '), audiences]))
  if (bytes <= most) return []
  const why = isCookie ? ' with accessTokenCookie' : ''
  const detail = `must have at most ${most} bytes together with the audiences${why}`
  return [{ pointer: '/scopes', detail }]
}

function checkList(
  member: keyof ClientDraft,
  items: readonly string[],
  isGood: (item: string) => boolean = () => true,
  detail = '',
): FieldError[] {
  if (items.length > LIST_LENGTH_MAX) {
    return [{ pointer: `/${member}`, detail: `must have at most ${LIST_LENGTH_MAX} items` }]
  }
  const errors: FieldError[] = []
  for (const [index, item] of items.entries()) {
    const pointer = `/${member}/${index}`
    if (!isGood(item)) errors.push({ pointer, detail })
    else if (items.indexOf(item) < index) errors.push({ pointer, detail: 'is given twice' })
  }
  return errors
}

function isScope(text: string): boolean {
  return text.length <= SCOPE_LENGTH_MAX && SCOPE_TOKEN.test(text)
}

function isAudience(text: string): boolean {
  return text.length <= AUDIENCE_LENGTH_MAX && /^[^\s\p{Cc}\p{Cs}]+$/u.test(text)
}

/**
 * Origins that pages in an app or in a browser extension send. The URL parser knows no origin for
 * such schemes, so they have a pattern of their own.
 */
const WEB_VIEW =
  /^(?:capacitor|ionic|tauri|chrome-extension|moz-extension|safari-web-extension):\/\/[A-Za-z0-9.-]+$/

/** Whether the text is the serialisation of a web origin (RFC 6454 §6.2), so `===` compares it. */
function isOrigin(text: string): boolean {
  if (text.length <= ORIGIN_LENGTH_MAX && WEB_VIEW.test(text)) return true
  // URL accepts `*` in a host name, but a wildcard would match nothing here, so it is refused.
  const isHttp = text.length <= ORIGIN_LENGTH_MAX && /^https?:\/\/[\w.:[\]-]+$/.test(text)
  return isHttp && URL.canParse(text) && new URL(text).origin === text
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
