// Why an assertion (RFC 7521) is refused, whoever brings it and for whatever: the end of the reason that
// is logged, behind what it was brought for. docs/errors.md explains each one.

export const ASSERTION_REASONS = [
  'malformed',
  'header_refused',
  'type_refused',
  'alg_refused',
  'issuer_wrong',
  'issuer_unknown',
  'issuer_not_listed',
  'subject_differs',
  'claims_differ',
  'not_bound',
  'no_subjects',
  'user_refused',
  'subject_wrong',
  'audience_wrong',
  'expired',
  'life_too_long',
  'too_old',
  'not_yet_valid',
  'jti_missing',
  'key_unknown',
  'keys_unavailable',
  'signature_wrong',
  'replayed',
] as const

export type AssertionReason = (typeof ASSERTION_REASONS)[number]
