// A client's key for DPoP and the proofs that it signs (RFC 9449 §4.2): good ones, and such as no
// server may take.

import { createHash, createHmac, randomUUID } from 'node:crypto'
import { CompactSign, calculateJwkThumbprint, exportJWK, type JWK } from 'jose'
import { makeFreshKeys } from './fresh-keys.ts'

/** What a proof is for. */
export interface ProofTarget {
  readonly method: string
  readonly url: string
  /** As the server gave it last; undefined when it gave none. */
  readonly nonce?: string | undefined
  /** The access token that the proof is sent with, whose hash it has to carry (`ath`). */
  readonly accessToken?: string
}

/** Members to put in place of the right ones; undefined takes one away. */
export interface ProofChanges {
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
}

export interface Prover {
  readonly thumbprint: string
  readonly publicJwk: JWK
  readonly privateJwk: JWK
  prove(target: ProofTarget, changes?: ProofChanges): Promise<string>
}

/** A fresh key. Rejects when jose cannot make one for the algorithm. */
export async function makeProver(alg: string): Promise<Prover> {
  const { publicKey, privateKey } = await makeFreshKeys(alg)
  const publicJwk = await exportJWK(publicKey)
  return {
    thumbprint: await calculateJwkThumbprint(publicJwk),
    publicJwk,
    privateJwk: await exportJWK(privateKey),
    async prove(target, { header = {}, claims = {} } = {}) {
      const payload = JSON.stringify({ ...claimsFor(target), ...claims })
      return await new CompactSign(Buffer.from(payload))
        .setProtectedHeader({ typ: 'dpop+jwt', jwk: publicJwk, ...header, alg })
        .sign(privateKey, { crit: { 'x-unknown': true } })
    },
  }
}

/** A proof with `alg: none` and no signature. */
export function proveUnsigned({ publicJwk }: Prover, target: ProofTarget): string {
  const header = { typ: 'dpop+jwt', alg: 'none', jwk: publicJwk }
  return `${encode(header)}.${encode(claimsFor(target))}.`
}

/** A proof signed by HMAC, with the shared secret in its header as the key. */
export function proveByMac(target: ProofTarget): string {
  const k = randomUUID()
  const header = { typ: 'dpop+jwt', alg: 'HS256', jwk: { kty: 'oct', k: base64url(k) } }
  const signed = `${encode(header)}.${encode(claimsFor(target))}`
  return `${signed}.${createHmac('sha256', k).update(signed).digest('base64url')}`
}

function claimsFor({ method, url, nonce, accessToken }: ProofTarget) {
  return {
    jti: randomUUID(),
    htm: method,
    htu: url.replace(/[?#].*$/, ''),
    iat: Math.floor(Date.now() / 1000),
    ...(nonce === undefined ? {} : { nonce }),
    ...(accessToken === undefined
      ? {}
      : { ath: createHash('sha256').update(accessToken).digest('base64url') }),
  }
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url')

const encode = (value: unknown): string => base64url(JSON.stringify(value))
