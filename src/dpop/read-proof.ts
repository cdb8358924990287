// The text of a proof, read as RFC 9449 §4.3 says: one JWS of the right type whose signature is that of the
// key it carries, with claims of the right kinds. What the claims have to say is for whoever was sent it.

import type { DpopFault } from '../oauth/dpop-errors.ts'
import { type JsonObject, readJsonObject } from '../runtime/strict-json.ts'
import { readProofKey } from './proof-key.ts'

/** An RSA key of 4096 bits, its signature and a long URL fit. */
const PROOF_LENGTH_MAX = 4096
/** RFC 9449 §11.1: long ones would fill the store of those that were used. */
const ID_LENGTH_MAX = 256

export interface DpopProof {
  /** Of the key that signed it (RFC 7638). */
  readonly thumbprint: string
  readonly jti: string
  readonly htm: string
  readonly htu: string
  /** Epoch seconds, as its sender's clock says. */
  readonly iat: number
  readonly nonce: unknown
  readonly ath: unknown
}

/** The proof, or the first thing that is wrong with it. Never throws. */
export function readProof(text: string): DpopProof | DpopFault {
  if (text.length > PROOF_LENGTH_MAX) return 'dpop_too_long'
  const parts = text.split('.')
  const [header, payload, signature] = parts.map(decodeCanonical)
  if (parts.length !== 3 || !header || !payload || !signature) return 'dpop_malformed'
  const { typ, alg, jwk, crit } = readJsonObject(header) ?? {}
  const claims = readJsonObject(payload)
  if (!claims) return 'dpop_malformed'
  if (typ !== 'dpop+jwt') return 'dpop_type_wrong'
  // RFC 7515 §4.1.11: none is understood here.
  if (crit !== undefined) return 'dpop_header_critical'
  const key = readProofKey(alg, jwk)
  if (typeof key === 'string') return key
  const signed = Buffer.from(text.slice(0, text.lastIndexOf('.')))
  if (!key.verify(signed, signature)) return 'dpop_signature_wrong'
  return readClaims(claims, key.thumbprint)
}

function readClaims(claims: JsonObject, thumbprint: string): DpopProof | DpopFault {
  const { jti, htm, htu, iat, nonce, ath } = claims
  if (typeof jti !== 'string' || jti === '') return 'dpop_claims_malformed'
  if (typeof htm !== 'string' || typeof htu !== 'string') return 'dpop_claims_malformed'
  if (typeof iat !== 'number' || !Number.isFinite(iat)) return 'dpop_claims_malformed'
  if (jti.length > ID_LENGTH_MAX) return 'dpop_id_too_long'
  return { thumbprint, jti, htm, htu, iat, nonce, ath }
}

/** Undefined unless the whole is base64url in its one spelling. */
function decodeCanonical(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}
