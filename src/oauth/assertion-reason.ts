// Why an assertion (RFC 7521) is refused, whoever brings it and for whatever: the end of the reason that
// is logged, behind what it was brought for.

export type AssertionReason =
  /** No JWT that can be read in one way. */
  | 'malformed'
  /** Its header asks for what nothing here does. */
  | 'header_refused'
  | 'type_refused'
  | 'alg_refused'
  | 'issuer_wrong'
  | 'subject_wrong'
  | 'audience_wrong'
  | 'expired'
  | 'life_too_long'
  | 'too_old'
  | 'not_yet_valid'
  | 'jti_missing'
  | 'key_unknown'
  | 'keys_unavailable'
  | 'signature_wrong'
  | 'replayed'
