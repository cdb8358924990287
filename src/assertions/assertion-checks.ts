// What an assertion has to say (RFC 7523 §3), one check after the other, each with its name and the reason
// why it refuses. Pure: a signature proves who said it (check-signature.ts).

import type { AssertionReason } from '../oauth/assertion-reason.ts'
import { isJwsAlg } from '../runtime/jws-algorithms.ts'
import { memberOf } from '../runtime/strict-json.ts'
import { isSameAlg } from './assertion-algs.ts'
import type { ForeignJwt } from './foreign-jwt.ts'

/** How far the clock of whoever made it may be ahead of ours. Nothing is given after `exp`. */
const CLOCK_TOLERANCE_SECONDS = 60
const TEXT_LENGTH_MAX = 512
const AUDIENCES_MAX = 10

/** What is expected of the assertion. */
export interface AssertionRules {
  /** Media types that `typ` may name, without `application/` and in lower case; none is always fine. */
  readonly types: readonly string[]
  /** Empty: all that there are. */
  readonly algs: readonly string[]
  /** Undefined where the issuer was found by other claims. */
  readonly issuer: string | undefined
  /** Undefined where the caller compares it. */
  readonly subject: string | undefined
  /** Each audience of the assertion has to be one of these: one for others as well is refused. */
  readonly audiences: readonly string[]
  /** `exp` may be so far ahead, and `iat` so far in the past. */
  readonly lifeSecondsMax: number
  readonly jti: 'required' | 'optional'
}

export interface AssertionCheck {
  readonly name: string
  /** Why the assertion is refused; undefined when it passes. */
  readonly find: (
    jwt: ForeignJwt,
    rules: AssertionRules,
    nowSeconds: number,
  ) => AssertionReason | undefined
}

/** In this order. `nowSeconds` may be a fraction. */
export const ASSERTION_CHECKS: readonly AssertionCheck[] = [
  { name: 'type', find: checkType },
  { name: 'algorithm', find: checkAlg },
  { name: 'issuer', find: checkIssuer },
  { name: 'subject', find: checkSubject },
  { name: 'audience', find: checkAudience },
  { name: 'expiry', find: checkExpiry },
  { name: 'life', find: checkLife },
  { name: 'not before', find: checkNotBefore },
  { name: 'issued at', find: checkIssuedAt },
  { name: 'id', find: checkId },
]

/** The first reason of all checks; undefined when all pass. */
export function findRefusal(
  jwt: ForeignJwt,
  rules: AssertionRules,
  nowMs: number,
): AssertionReason | undefined {
  for (const { find } of ASSERTION_CHECKS) {
    const reason = find(jwt, rules, nowMs / 1000)
    if (reason) return reason
  }
  return undefined
}

/** `exp` in ms of an assertion that passed the checks. */
export function expiryMs({ claims }: ForeignJwt): number {
  return Number(memberOf(claims, 'exp')) * 1000
}

/** `jti`, `iss` or `sub` where it is a text that can be compared; else undefined. */
export function findTextClaim(
  { claims }: ForeignJwt,
  name: 'jti' | 'iss' | 'sub',
): string | undefined {
  const value = memberOf(claims, name)
  const isGood = typeof value === 'string' && value !== '' && value.length <= TEXT_LENGTH_MAX
  return isGood ? value : undefined
}

/** So that no other kind of token, such as an access token (RFC 9068 §4), passes for an assertion. */
function checkType({ header: { typ } }: ForeignJwt, { types }: AssertionRules) {
  const type = typ?.toLowerCase().replace(/^application\//, '')
  return type === undefined || types.includes(type) ? undefined : 'type_refused'
}

function checkAlg({ header: { alg } }: ForeignJwt, { algs }: AssertionRules) {
  const isAllowed = algs.length === 0 || algs.some((name) => isSameAlg(name, alg))
  return isJwsAlg(alg) && isAllowed ? undefined : 'alg_refused'
}

function checkIssuer(jwt: ForeignJwt, { issuer }: AssertionRules) {
  const isRight = issuer === undefined || findTextClaim(jwt, 'iss') === issuer
  return isRight ? undefined : 'issuer_wrong'
}

/** A string only: a list of subjects is none. */
function checkSubject(jwt: ForeignJwt, { subject }: AssertionRules) {
  const said = findTextClaim(jwt, 'sub')
  const isGood = said !== undefined && (subject === undefined || said === subject)
  return isGood ? undefined : 'subject_wrong'
}

/**
 * Compared as texts, without normalisation (RFC 7523 §3). One for somebody else as well could be brought
 * here by that somebody.
 */
function checkAudience({ claims }: ForeignJwt, { audiences }: AssertionRules) {
  const aud = memberOf(claims, 'aud')
  const said: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (said.length === 0 || said.length > AUDIENCES_MAX) return 'audience_wrong'
  const isOurs = said.every((one) => audiences.some((audience) => audience === one))
  return isOurs ? undefined : 'audience_wrong'
}

function checkExpiry({ claims }: ForeignJwt, _rules: AssertionRules, nowSeconds: number) {
  const exp = memberOf(claims, 'exp')
  return isTime(exp) && nowSeconds < exp ? undefined : 'expired'
}

function checkLife({ claims }: ForeignJwt, { lifeSecondsMax }: AssertionRules, nowSeconds: number) {
  const exp = Number(memberOf(claims, 'exp'))
  return exp - nowSeconds <= lifeSecondsMax ? undefined : 'life_too_long'
}

function checkNotBefore({ claims }: ForeignJwt, _rules: AssertionRules, nowSeconds: number) {
  const nbf = memberOf(claims, 'nbf')
  return isPast(nbf, nowSeconds) ? undefined : 'not_yet_valid'
}

function checkIssuedAt(
  { claims }: ForeignJwt,
  { lifeSecondsMax }: AssertionRules,
  nowSeconds: number,
) {
  const iat = memberOf(claims, 'iat')
  if (!isPast(iat, nowSeconds)) return 'not_yet_valid'
  const isOld = isTime(iat) && iat < nowSeconds - lifeSecondsMax - CLOCK_TOLERANCE_SECONDS
  return isOld ? 'too_old' : undefined
}

function checkId(jwt: ForeignJwt, { jti }: AssertionRules) {
  const isAbsent = memberOf(jwt.claims, 'jti') === undefined
  if (isAbsent && jti === 'optional') return undefined
  return findTextClaim(jwt, 'jti') === undefined ? 'jti_missing' : undefined
}

/** Or not said at all. */
function isPast(value: unknown, nowSeconds: number): boolean {
  if (value === undefined) return true
  return isTime(value) && value <= nowSeconds + CLOCK_TOLERANCE_SECONDS
}

/** A NumericDate (RFC 7519 §2), which may have a fraction. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
