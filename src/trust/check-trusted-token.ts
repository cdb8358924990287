// Whether a token of somebody else is one that a trusted issuer has signed for us: read strictly, found by
// its issuer, checked by name, and only then by the keys of that one issuer. Uses nothing up.

import {
  ASSERTION_CHECKS,
  type AssertionRules,
  findRefusal,
  findTextClaim,
} from '../assertions/assertion-checks.ts'
import { checkSignature } from '../assertions/check-signature.ts'
import { type ForeignJwt, readForeignJwt } from '../assertions/foreign-jwt.ts'
import type { RemoteKeys } from '../assertions/remote-keys.ts'
import type { AssertionReason } from '../oauth/assertion-reason.ts'
import type { Clock } from '../runtime/clock.ts'
import { memberOf } from '../runtime/strict-json.ts'
import { keysOf } from './issuer-keys.ts'
import type { IssuerKind, TrustedIssuer } from './trusted-issuer.ts'
import type { TrustedIssuerTable } from './trusted-issuer-table.ts'

const HOUR_SECONDS = 60 * 60
/** A job may take a day, and a kubelet asks for a new token when one is a day old. */
const LIFE_SECONDS_MAX: Readonly<Record<IssuerKind, number>> = {
  kubernetes: 24 * HOUR_SECONDS,
  gitlab: 24 * HOUR_SECONDS,
  github: HOUR_SECONDS,
  spiffe: HOUR_SECONDS,
  oidc: HOUR_SECONDS,
}

/** A path of SPIFFE §2.2 below the trust domain. */
const SPIFFE_PATH = /^(?:\/[A-Za-z0-9._-]+)+$/

export interface TrustedToken {
  readonly issuer: TrustedIssuer
  readonly jwt: ForeignJwt
  readonly subject: string
}

export interface TrustCheckServices {
  readonly trustedIssuers: Pick<TrustedIssuerTable, 'findByIssuer'>
  readonly remoteKeys: RemoteKeys
  readonly clock: Clock
}

export type CheckedTrust =
  | { readonly token: TrustedToken; readonly problem?: never }
  | { readonly token?: never; readonly problem: AssertionReason }

/** Never rejects. */
export async function checkTrustedToken(
  jwt: ForeignJwt,
  { trustedIssuers, remoteKeys, clock }: TrustCheckServices,
): Promise<CheckedTrust> {
  const issuer = findTrustedIssuer(jwt, trustedIssuers)
  if (!issuer) return { problem: 'issuer_unknown' }
  const refusal =
    findRefusal(jwt, rulesOf(issuer), clock()) ??
    findKindProblem(issuer, jwt) ??
    (await checkSignature(jwt, keysOf(issuer, remoteKeys)))
  if (refusal) return { problem: refusal }
  return { token: { issuer, jwt, subject: findTextClaim(jwt, 'sub') ?? '' } }
}

/**
 * By `iss`, character by character. A JWT-SVID need not have one: there it is the trust domain of its
 * subject, whose keys then decide.
 */
function findTrustedIssuer(
  jwt: ForeignJwt,
  { findByIssuer }: Pick<TrustedIssuerTable, 'findByIssuer'>,
): TrustedIssuer | undefined {
  const subject = findTextClaim(jwt, 'sub') ?? ''
  const domain = subject.startsWith('spiffe://') && subject.split('/', 3).join('/')
  const iss = findTextClaim(jwt, 'iss')
  return (domain && findByIssuer(domain)) || (iss === undefined ? undefined : findByIssuer(iss))
}

function rulesOf({ kind, issuer, algs, audience }: TrustedIssuer): AssertionRules {
  return {
    types: kind === 'spiffe' ? ['jwt', 'jose'] : ['jwt'],
    algs,
    issuer: kind === 'spiffe' ? undefined : issuer,
    subject: undefined,
    audiences: [audience],
    lifeSecondsMax: LIFE_SECONDS_MAX[kind],
    // Without one, the token itself is what is used once.
    jti: 'optional',
  }
}

/** What tokens of its kind must hold besides. */
function findKindProblem(issuer: TrustedIssuer, jwt: ForeignJwt): AssertionReason | undefined {
  if (issuer.kind === 'spiffe') {
    const subject = findTextClaim(jwt, 'sub') ?? ''
    const path = subject.slice(issuer.issuer.length)
    const isOurs = subject.startsWith(issuer.issuer) && SPIFFE_PATH.test(path)
    return isOurs ? undefined : 'subject_wrong'
  }
  // One that is bound to nothing could be anybody's for as long as it lives.
  const isBound = issuer.kind !== 'kubernetes' || issuer.replay === 'single_use' || podOf(jwt)
  return isBound ? undefined : 'not_bound'
}

/** The pod that a service account token of Kubernetes is bound to. */
export function podOf({ claims }: ForeignJwt): string | undefined {
  const uid = memberOf(memberOf(memberOf(claims, 'kubernetes.io'), 'pod'), 'uid')
  return typeof uid === 'string' && /^[\w-]{1,64}$/.test(uid) ? uid : undefined
}

export interface TrustFinding {
  readonly check: string
  /** Why the token is refused; undefined when it passes. */
  readonly problem: AssertionReason | undefined
}

/** Each check by itself, also after one that refuses: what an operator wants to see of a token. */
export async function explainTrustedToken(
  text: string,
  { trustedIssuers, remoteKeys, clock }: TrustCheckServices,
): Promise<{ readonly findings: readonly TrustFinding[]; readonly token?: TrustedToken }> {
  const { jwt, problem } = readForeignJwt(text)
  const findings: TrustFinding[] = [{ check: 'readable', problem }]
  if (!jwt) return { findings }
  const issuer = findTrustedIssuer(jwt, trustedIssuers)
  findings.push({ check: 'trusted issuer', problem: issuer ? undefined : 'issuer_unknown' })
  if (!issuer) return { findings }
  const rules = rulesOf(issuer)
  for (const { name, find } of ASSERTION_CHECKS) {
    findings.push({ check: name, problem: find(jwt, rules, clock() / 1000) })
  }
  findings.push({ check: `kind ${issuer.kind}`, problem: findKindProblem(issuer, jwt) })
  const signature = await checkSignature(jwt, keysOf(issuer, remoteKeys))
  findings.push({ check: 'signature', problem: signature })
  return { findings, token: { issuer, jwt, subject: findTextClaim(jwt, 'sub') ?? '' } }
}
