// The lists of a client: what may stand in them, and how much of it.

import { SCOPE_TOKEN } from '../oauth/scope.ts'
import type { FieldError } from '../runtime/field-error.ts'
import type { Client } from './client.ts'
import type { ClientChoices } from './client-choices.ts'

const LIST_LENGTH_MAX = 100
const SCOPE_LENGTH_MAX = 128
const AUDIENCE_LENGTH_MAX = 512
const ORIGIN_LENGTH_MAX = 256
/** Bound on scopes and audiences, so that a token with all of them and all roles is below 8 KiB. */
const TARGET_BYTES_MAX = 2560
/** The same for a token in a cookie, which with name and signature must stay below 4 KiB. */
const COOKIE_TARGET_BYTES_MAX = 2048

const SCOPE_DETAIL = `must be a scope (RFC 6749 §3.3) of at most ${SCOPE_LENGTH_MAX} characters`
const AUDIENCE_DETAIL = `must be 1 to ${AUDIENCE_LENGTH_MAX} characters, none of them a space or control`

type Lists = Pick<
  Client,
  | 'grantTypes'
  | 'authMethods'
  | 'scopes'
  | 'defaultScopes'
  | 'audiences'
  | 'allowedOrigins'
  | 'tokenDelivery'
  | 'accessTokenCookie'
>

/** The rules of what a client may list, and of all of it together. */
export function checkLists(draft: Lists, { grants }: ClientChoices): FieldError[] {
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
function checkTarget({ scopes, audiences, ...draft }: Lists): FieldError[] {
  const isCookie = draft.tokenDelivery === 'cookie' && draft.accessTokenCookie
  const most = isCookie ? COOKIE_TARGET_BYTES_MAX : TARGET_BYTES_MAX
  const bytes = Buffer.byteLength(JSON.stringify([scopes.join(' '), audiences]))
  if (bytes <= most) return []
  const why = isCookie ? ' with accessTokenCookie' : ''
  const detail = `must have at most ${most} bytes together with the audiences${why}`
  return [{ pointer: '/scopes', detail }]
}

/** Whether a list is short, each of its items good, and none of them there twice. */
function checkList(
  member: keyof Client,
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

/** Whether the text is a scope of bounded length. */
export function isScope(text: string): boolean {
  return text.length <= SCOPE_LENGTH_MAX && SCOPE_TOKEN.test(text)
}

/** Whether the text may name a service. */
export function isAudience(text: string): boolean {
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
