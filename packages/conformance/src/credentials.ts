// Whom the suite may act as: clients and users that exist at the service for nothing but being
// tested. Everything is optional; what is missing is why rows are skipped.

import type { JWK } from 'jose'

export interface TestedClient {
  readonly id: string
  /** Absent for a public client. */
  readonly secret?: string
  /** `client_secret_basic` unless the metadata lists `client_secret_post` without it. */
  readonly authMethod?: 'client_secret_basic' | 'client_secret_post'
}

export interface ConfidentialClient extends TestedClient {
  readonly secret: string
  /** A second secret that is good at the same time. */
  readonly secondSecret?: string
}

/** Its refresh tokens end so soon that a check can wait for it. */
export interface ExpiringClient extends TestedClient {
  readonly idleSeconds: number
  readonly absoluteSeconds: number
}

/** Proves itself by assertions that it signs (private_key_jwt). */
export interface AssertionClient {
  readonly id: string
  readonly privateJwk: JWK
  readonly alg: string
}

/** A certificate and its private key, each as PEM; those above the certificate may follow it. */
export interface CertifiedKey {
  readonly certificate: string
  readonly key: string
}

/** Proves itself by its certificate (RFC 8705 §2), and asks for tokens that are bound to it. */
export interface CertificateClient extends CertifiedKey {
  readonly id: string
  /** Somebody else's, of the same authority if there is one. */
  readonly other?: CertifiedKey
  /** PEM of who signed the service's own certificate, where this machine does not trust it. */
  readonly serverCa?: string
}

export interface TestedUser {
  readonly username: string
  readonly password: string
}

export interface Credentials {
  /** Asks for tokens of its own and introspects. */
  readonly confidentialClient?: ConfidentialClient
  /** Somebody else, with no right to see the others' tokens. */
  readonly otherClient?: ConfidentialClient
  readonly publicClient?: TestedClient
  /** Its id or secret has characters that Basic has to encode. */
  readonly specialClient?: ConfidentialClient
  readonly expiringClient?: ExpiringClient
  /** Asks for tokens of its own, which are to be signed with RS256. */
  readonly rs256Client?: ConfidentialClient
  readonly assertionClient?: AssertionClient
  readonly certificateClient?: CertificateClient
  /** A public client that logs the user in, and whose tokens are bound to certificates. */
  readonly boundClient?: TestedClient
  /** Logs in where the service has the password grant. */
  readonly user?: TestedUser
  /** Its password is right, but it may not log in. */
  readonly disabledUser?: TestedUser
  /** Its password is right, but it has a second factor, too. */
  readonly mfaUser?: TestedUser
  /** A scope that the clients have; the narrower, the better. */
  readonly scope?: string
  /** Two or more scopes that user and clients may ask for; without it, what a login gives. */
  readonly wideScope?: string
  /** A resource that the clients may ask for (RFC 8707). */
  readonly resource?: string
}
