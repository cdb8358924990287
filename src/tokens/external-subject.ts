// A subject that is neither a user nor a client of ours: somebody whom a trusted issuer knows. Its `sub` is
// the id of that issuer, a colon, and what it is called there; no id of a user or a client has a colon.

const EXTERNAL = /^([a-z][a-z0-9-]{1,62}):[\x21-\x7e]+$/
/** What an issuer calls it goes into headers and logs as it is. */
const NAME = /^[\x21-\x7e]{1,256}$/

export type ExternalSubject = `${string}:${string}`

/** Undefined for a name that is too long, or that a header cannot carry. */
export function externalSubject(trustedIssuer: string, name: string): ExternalSubject | undefined {
  return NAME.test(name) ? `${trustedIssuer}:${name}` : undefined
}

/** Whether a `sub` of ours is such a subject. */
export function isExternalSubject(sub: string): sub is ExternalSubject {
  return EXTERNAL.test(sub)
}

/** The id of the trusted issuer that knows it. */
export function issuerOfSubject(sub: ExternalSubject): string {
  return sub.slice(0, sub.indexOf(':'))
}
