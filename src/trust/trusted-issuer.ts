// Whose tokens are believed besides our own: a platform that signs for its workloads, or another
// issuer that knows people of ours. Under which rules, and never more than it says here.

import type { JSONWebKeySet } from 'jose'

export const ISSUER_KINDS = ['kubernetes', 'github', 'gitlab', 'spiffe', 'oidc'] as const

/** What signs, which decides how long its tokens may live and what they must hold besides. */
export type IssuerKind = (typeof ISSUER_KINDS)[number]

/** Whether a token is good once, or by its nature as often as its holder likes until it expires. */
export type ReplayRule = 'single_use' | 'reusable'

/** Whom its tokens are about in the JWT bearer grant (RFC 7523 §2.1). */
export type SubjectMapping =
  /** One of our users, whom a claim names by id, or by a verified address. */
  | { readonly mode: 'users'; readonly claim: string; readonly match: 'id' | 'email' }
  /** A subject of its own, which no user and no client of ours is. */
  | { readonly mode: 'own' }

export interface TrustedIssuer {
  /** A slug: what clients name it by. */
  readonly id: string
  /** The claim `iss` of its tokens, character by character; a trust domain for SPIFFE. */
  readonly issuer: string
  readonly kind: IssuerKind
  /** Exactly one of `jwks` and `jwksUri` is there. */
  readonly jwks: JSONWebKeySet | null
  readonly jwksUri: string | null
  /** Whether `jwksUri` may lead to a private address. */
  readonly allowPrivateNetwork: boolean
  /** The one audience of its tokens that are meant for us. */
  readonly audience: string
  /** What its tokens may be signed with; all that there are while it is empty. */
  readonly algs: readonly string[]
  readonly replay: ReplayRule
  /** Null: its tokens are about nobody. */
  readonly subjects: SubjectMapping | null
  readonly createdAt: Date
  readonly updatedAt: Date
}
