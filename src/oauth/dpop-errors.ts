// What can be wrong with a proof of DPoP (RFC 9449 §4.3), by our own names. All of them look the same to
// the caller, but that it is told to use a nonce.

import type { PublicError } from './public-error.ts'

const BAD_PROOF = {
  code: 'invalid_dpop_proof',
  status: 400,
  description: 'The DPoP proof is missing, not valid, or was used before.',
} as const
const NONCE_WANTED = {
  code: 'use_dpop_nonce',
  status: 400,
  description: 'The DPoP proof must carry the nonce that this answer brings.',
} as const

export const DPOP_ERRORS = {
  dpop_missing: BAD_PROOF,
  dpop_repeated: BAD_PROOF,
  dpop_too_long: BAD_PROOF,
  dpop_malformed: BAD_PROOF,
  dpop_type_wrong: BAD_PROOF,
  dpop_header_critical: BAD_PROOF,
  dpop_alg_not_allowed: BAD_PROOF,
  dpop_key_malformed: BAD_PROOF,
  dpop_key_private: BAD_PROOF,
  dpop_key_unfit: BAD_PROOF,
  dpop_signature_wrong: BAD_PROOF,
  dpop_claims_malformed: BAD_PROOF,
  dpop_id_too_long: BAD_PROOF,
  dpop_method_wrong: BAD_PROOF,
  dpop_url_wrong: BAD_PROOF,
  dpop_too_old: BAD_PROOF,
  dpop_too_new: BAD_PROOF,
  dpop_token_hash_wrong: BAD_PROOF,
  dpop_replayed: BAD_PROOF,
  dpop_nonce_missing: NONCE_WANTED,
  dpop_nonce_wrong: NONCE_WANTED,
} as const satisfies Record<string, PublicError>

export type DpopFault = keyof typeof DPOP_ERRORS
