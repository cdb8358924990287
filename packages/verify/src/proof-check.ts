// Whether a request comes with a proof of the key that its token is bound to (RFC 9449 §4.3, §7).

import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, type JWK, jwtVerify } from 'jose'
import type { ProofNonces } from './proof-nonces.ts'
import type { ProofReplays } from './proof-replays.ts'
import { type RefusalReason, RefusedTokenError } from './verify-errors.ts'

export interface ProofSettings {
  readonly algorithms: readonly string[]
  /** How old a proof may be, and how far ahead its clock. */
  readonly maxAgeSeconds: number
  readonly toleranceSeconds: number
  readonly replays: ProofReplays
  readonly nonces: ProofNonces | undefined
  readonly nowMs: () => number
}

export interface ProvenRequest {
  readonly method: string
  /** As the client sees it, with scheme and host. */
  readonly url: string
  readonly token: string
  readonly thumbprint: string
}

const MAX_LENGTH = 8_192
/** Of the modulus: a smaller key is weak, a larger one costs its sender nothing and us a lot. */
const RSA_BYTES_MIN = 256
const RSA_BYTES_MAX = 512
/** 65537, as all keys have it: with a larger one a signature takes a multiple of the time. */
const RSA_EXPONENT = 'AQAB'
const JTI_MAX_LENGTH = 256
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

interface ProofClaims {
  readonly jti?: unknown
  readonly htm?: unknown
  readonly htu?: unknown
  readonly iat?: unknown
  readonly ath?: unknown
  readonly nonce?: unknown
}

/** Throws RefusedTokenError, and what `replays` throws. What is remembered comes last. */
export async function checkProof(
  proof: string,
  request: ProvenRequest,
  settings: ProofSettings,
): Promise<void> {
  const { maxAgeSeconds, toleranceSeconds, replays, nonces, nowMs } = settings
  const { jti, htm, htu, iat, ath, nonce } = await openProof(proof, request.thumbprint, settings)
  if (typeof jti !== 'string' || jti === '' || jti.length > JTI_MAX_LENGTH) {
    throw refuse('proof_malformed')
  }
  if (htm !== request.method || !isSameTarget(htu, request.url)) throw refuse('proof_target')
  const now = nowMs() / 1000
  if (typeof iat !== 'number' || iat > now + toleranceSeconds || iat < now - maxAgeSeconds) {
    throw refuse('proof_age')
  }
  if (ath !== createHash('sha256').update(request.token).digest('base64url')) {
    throw refuse('proof_token')
  }
  if (nonces && !(typeof nonce === 'string' && nonces.isGood(nonce))) {
    throw new RefusedTokenError('proof_nonce', 'use_dpop_nonce')
  }
  const untilMs = (iat + maxAgeSeconds + toleranceSeconds) * 1000
  if (!(await replays.take(request.thumbprint, jti, untilMs))) throw refuse('proof_replayed')
}

function refuse(reason: RefusalReason): RefusedTokenError {
  return new RefusedTokenError(reason, 'invalid_dpop_proof')
}

async function openProof(
  proof: string,
  thumbprint: string,
  { algorithms, nowMs }: ProofSettings,
): Promise<ProofClaims> {
  if (proof.length > MAX_LENGTH) throw refuse('proof_malformed')
  const { alg, jwk } = readHeader(proof)
  if (!algorithms.includes(alg)) throw refuse('proof_malformed')
  // The token is for another key, however good the proof is (RFC 9449 §7.1); it is cheaper to see than a signature.
  if ((await thumbprintOf(jwk)) !== thumbprint) throw new RefusedTokenError('proof_key')
  if (jwk.kty === 'RSA' && !isUsualRsa(jwk)) throw refuse('proof_malformed')
  try {
    const key = await importJWK(jwk, alg)
    const { payload } = await jwtVerify(proof, key, {
      typ: 'dpop+jwt',
      algorithms: [alg],
      currentDate: new Date(nowMs()),
    })
    return payload
  } catch {
    throw refuse('proof_signature')
  }
}

async function thumbprintOf(jwk: JWK): Promise<string> {
  try {
    return await calculateJwkThumbprint(jwk)
  } catch {
    throw refuse('proof_malformed')
  }
}

function isUsualRsa({ n, e }: JWK): boolean {
  const { length, 0: first = 0 } = Buffer.from(typeof n === 'string' ? n : '', 'base64url')
  // Some 2,048 bits must be there and not be padding.
  const isLong = length > RSA_BYTES_MIN ? first !== 0 : length === RSA_BYTES_MIN && first >= 0x80
  return isLong && length <= RSA_BYTES_MAX && e === RSA_EXPONENT
}

function readHeader(proof: string): { alg: string; jwk: JWK } {
  try {
    const { alg, jwk } = decodeProtectedHeader(proof)
    const isPublic = jwk && !PRIVATE_MEMBERS.some((member) => member in jwk)
    if (typeof alg === 'string' && isPublic) return { alg, jwk: jwk as JWK }
  } catch {
    // As if it were not there.
  }
  throw refuse('proof_malformed')
}

/** Without query and fragment, and after the normalization that URL does (RFC 9449 §4.3). */
function isSameTarget(htu: unknown, url: string): boolean {
  if (typeof htu !== 'string' || !URL.canParse(htu) || !URL.canParse(url)) return false
  const [given, own] = [new URL(htu), new URL(url)]
  return given.origin === own.origin && given.pathname === own.pathname
}
