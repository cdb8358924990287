// DPoP (RFC 9449): the key that a caller proves to hold, for the token endpoint and the resource.

import { createHash, randomUUID } from 'node:crypto'
import {
  calculateJwkThumbprint,
  compactVerify,
  decodeProtectedHeader,
  importJWK,
  type JWK,
  type JWTPayload,
} from 'jose'
import type { State } from './state.ts'
import { type Call, Refusal } from './wire.ts'

export const DPOP_ALGS = ['ES256', 'RS256', 'PS256', 'EdDSA']
const AGE_MAX_SECONDS = 60

/** The thumbprint of the key; undefined without a proof. Throws invalid_dpop_proof with 400. */
export async function checkProof(
  state: State,
  call: Call,
  accessToken?: string,
): Promise<string | undefined> {
  const names = call.rawHeaders.filter((_, index) => index % 2 === 0)
  const count = names.filter((name) => name.toLowerCase() === 'dpop').length
  const proof = call.headers.dpop
  if (count === 0 || typeof proof !== 'string') return undefined
  const { has } = state
  if (count > 1 && !has('dpop-two-proofs-taken')) throw badProof(state)
  try {
    const { jkt, claims } = await readProof(state, proof.split(', ')[0] ?? '')
    checkNonce(state, claims.nonce)
    checkClaims(state, call, claims)
    if (accessToken !== undefined && claims.ath !== hash(accessToken)) throw new Error('ath')
    return jkt
  } catch (error) {
    throw error instanceof Refusal ? error : badProof(state)
  }
}

/** RFC 9449 §8: whatever else is in order, a proof needs a nonce of ours. */
function checkNonce({ has, nonces }: State, nonce: unknown): void {
  if (!nonces) return
  const isKnown = typeof nonce === 'string' && nonces.has(nonce)
  if (isKnown && !has('dpop-nonce-never-taken')) return
  const fresh = randomUUID()
  nonces.add(fresh)
  const code = has('dpop-nonce-asked-as-bad-proof') ? 'invalid_dpop_proof' : 'use_dpop_nonce'
  const headers = has('dpop-nonce-not-sent') ? {} : { 'DPoP-Nonce': fresh }
  throw new Refusal(code, 'a nonce is needed', 400, headers)
}

function badProof({ has }: State): Refusal {
  if (has('dpop-failure-as-invalid-request')) {
    return new Refusal('invalid_request', 'the proof is not valid')
  }
  return new Refusal('invalid_dpop_proof', 'the proof is not valid')
}

async function readProof({ has }: State, proof: string) {
  const { alg = '', typ, jwk } = decodeProtectedHeader(proof)
  if (typ !== 'dpop+jwt' && !has('dpop-typ-ignored')) throw new Error('typ')
  if (!jwk || ('d' in jwk && !has('dpop-private-key-taken'))) throw new Error('jwk')
  const jkt = await calculateJwkThumbprint(jwk)
  if (has('dpop-signature-unchecked')) {
    return { jkt, claims: toClaims(Buffer.from(proof.split('.')[1] ?? '', 'base64url')) }
  }
  const { d: _secret, ...publicJwk } = jwk as JWK
  const key = await importJWK(publicJwk, alg)
  const { payload } = await compactVerify(proof, key, { algorithms: DPOP_ALGS })
  return { jkt, claims: toClaims(payload) }
}

const toClaims = (
  bytes: Uint8Array,
): JWTPayload & Record<'htm' | 'htu' | 'ath' | 'nonce', string | undefined> =>
  JSON.parse(Buffer.from(bytes).toString())

function checkClaims(
  { has, origin, seenJtis }: State,
  { method, path }: Call,
  { htm, htu, iat, jti }: ReturnType<typeof toClaims>,
): void {
  if (htm !== method && !has('dpop-htm-ignored')) throw new Error('htm')
  const url = new URL(htu ?? '')
  if (`${url.origin}${url.pathname}` !== `${origin}${path}` && !has('dpop-htu-ignored')) {
    throw new Error('htu')
  }
  const age = Math.abs(Date.now() / 1000 - (iat ?? 0))
  if (age > AGE_MAX_SECONDS && !has('dpop-old-proof-taken')) throw new Error('iat')
  if (!jti && !has('dpop-jti-not-needed')) throw new Error('jti')
  const seen = `proof ${jti}`
  if (seenJtis.has(seen) && !has('dpop-replay-taken')) throw new Error('jti was used')
  seenJtis.add(seen)
}

const hash = (text: string): string => createHash('sha256').update(text).digest('base64url')
