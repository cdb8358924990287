// The identities elsewhere that count as a client's own: what may be said of them, and whether a token's
// claims are those of one of them. Whether there is such a trusted issuer is not asked: an identity of
// one that is not there is nobody.

import type { FieldError } from '../runtime/field-error.ts'
import type { Client } from './client.ts'
import { isClientSlug } from './client-id.ts'
import type { FederatedIdentity } from './client-settings.ts'
import { findPatternProblem, matchesSubject } from './subject-pattern.ts'

const IDENTITIES_MAX = 32
const CLAIMS_MAX = 16
const CLAIM_LENGTH_MAX = 512
/** Each has a check of its own; a second rule for it could only be mistaken for that one. */
const CHECKED_CLAIMS = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti']

/** The rules of `federatedIdentities`. */
export function checkFederation(draft: Pick<Client, 'type' | 'federatedIdentities'>): FieldError[] {
  const pointer = '/federatedIdentities'
  const { federatedIdentities: identities } = draft
  if (draft.type === 'public' && identities.length > 0) {
    return [{ pointer, detail: 'must be empty for a public client' }]
  }
  if (identities.length > IDENTITIES_MAX) {
    return [{ pointer, detail: `must have at most ${IDENTITIES_MAX} items` }]
  }
  return identities.flatMap((identity, index) => checkIdentity(identity, `${pointer}/${index}`))
}

function checkIdentity(
  { trustedIssuer, subject, claims = {} }: FederatedIdentity,
  pointer: string,
): FieldError[] {
  const errors: FieldError[] = []
  if (!isClientSlug(trustedIssuer)) {
    const detail = 'must be the id of a trusted issuer'
    errors.push({ pointer: `${pointer}/trustedIssuer`, detail })
  }
  const problem = findPatternProblem(subject)
  if (problem !== undefined) errors.push({ pointer: `${pointer}/subject`, detail: problem })
  const entries = Object.entries(claims)
  const areGood = entries.every(
    ([name, value]) => isShort(name) && isShort(value) && !CHECKED_CLAIMS.includes(name),
  )
  if (!areGood || entries.length > CLAIMS_MAX) {
    const detail = `must be at most ${CLAIMS_MAX} claims of 1 to ${CLAIM_LENGTH_MAX} characters, none of them ${CHECKED_CLAIMS.join(', ')}`
    errors.push({ pointer: `${pointer}/claims`, detail })
  }
  return errors
}

function isShort(text: string): boolean {
  return text !== '' && text.length <= CLAIM_LENGTH_MAX && !/[\p{Cc}\p{Cs}]/u.test(text)
}

/** Of which check of an identity the best one failed, so that an operator learns how near it was. */
export type FederationMatch = 'matches' | 'issuer_not_listed' | 'subject_differs' | 'claims_differ'

/** Whether the claims of a token that this trusted issuer has signed are those of an identity of the client. */
export function matchFederation(
  { federatedIdentities }: Pick<Client, 'federatedIdentities'>,
  trustedIssuer: string,
  { sub, ...claims }: { readonly sub: string; readonly [claim: string]: unknown },
): FederationMatch {
  const ofIssuer = federatedIdentities.filter((one) => one.trustedIssuer === trustedIssuer)
  if (ofIssuer.length === 0) return 'issuer_not_listed'
  const ofSubject = ofIssuer.filter(({ subject }) => matchesSubject(subject, sub))
  if (ofSubject.length === 0) return 'subject_differs'
  const isMatch = ofSubject.some(({ claims: wanted = {} }) =>
    Object.entries(wanted).every(
      ([name, value]) => Object.hasOwn(claims, name) && claims[name] === value,
    ),
  )
  return isMatch ? 'matches' : 'claims_differ'
}
