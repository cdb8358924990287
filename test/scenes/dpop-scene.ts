// A key and the proofs it signs (RFC 9449 §4.2), put together here by hand so that each part of one can be
// wrong; and token requests that bring them.

import {
  constants,
  createHash,
  type JsonWebKey,
  type KeyObject,
  randomUUID,
  sign,
} from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { makeKeyPairSync } from '../../src/runtime/key-pair.ts'
import { ISSUER, type TestApp, type TokenAnswer } from '../support/app.ts'

export type ProofAlg = 'ES256' | 'EdDSA' | 'Ed25519' | 'RS256' | 'PS256'

export interface ProofParts {
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
  /** Whose hash is the `ath`. */
  readonly token?: string
  readonly method?: string
  readonly url?: string
}

export interface Prover {
  readonly jwk: JsonWebKey
  readonly privateJwk: JsonWebKey
  readonly thumbprint: string
  /** For `POST /token` unless the parts say otherwise; a member that is undefined is left out. */
  prove(parts?: ProofParts): string
  /** Any text under this key's signature. */
  signText(text: string): string
}

export const TOKEN_URL = `${ISSUER}/token`

export async function makeProver(alg: ProofAlg = 'ES256', bits = 2048): Promise<Prover> {
  const { publicKey, privateKey } = makeKeys(alg, bits)
  const jwk = publicKey.export({ format: 'jwk' })
  const signText = (text: string) => `${text}.${signWith(alg, text, privateKey)}`
  return {
    jwk,
    privateJwk: privateKey.export({ format: 'jwk' }),
    thumbprint: await calculateJwkThumbprint(jwk as Parameters<typeof calculateJwkThumbprint>[0]),
    signText,
    prove: ({ header = {}, claims = {}, token, method = 'POST', url = TOKEN_URL } = {}) => {
      const ath = token === undefined ? {} : { ath: hashOf(token) }
      const iat = Math.floor(Date.now() / 1000)
      const payload = { jti: randomUUID(), htm: method, htu: url, iat, ...ath, ...claims }
      return signText(`${encode({ typ: 'dpop+jwt', alg, jwk, ...header })}.${encode(payload)}`)
    },
  }
}

export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

export function encode(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

function makeKeys(alg: ProofAlg, bits: number) {
  if (alg === 'ES256') return makeKeyPairSync('ec', { namedCurve: 'P-256' })
  if (alg === 'EdDSA' || alg === 'Ed25519') return makeKeyPairSync('ed25519')
  return makeKeyPairSync('rsa', { modulusLength: bits })
}

function signWith(alg: ProofAlg, text: string, key: KeyObject): string {
  const digest = alg.startsWith('Ed') ? null : 'sha256'
  const options = {
    dsaEncoding: 'ieee-p1363' as const,
    ...(alg === 'PS256' && { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
  }
  return sign(digest, Buffer.from(text), { key, ...options }).toString('base64url')
}

/** The answer to a token request, with what it says of DPoP. */
export interface BoundAnswer {
  readonly status: number
  readonly body: TokenAnswer & { readonly error?: string; readonly error_description?: string }
  readonly nonce: string | null
  readonly cacheControl: string | null
}

export async function requestTokens(
  app: Pick<TestApp, 'form'>,
  parameters: Record<string, string | undefined>,
  proof?: string,
  headers: Record<string, string> = {},
): Promise<BoundAnswer> {
  const all = proof === undefined ? headers : { ...headers, dpop: proof }
  const answer = await app.form('/token', parameters, all)
  return {
    status: answer.status,
    body: (await answer.json()) as BoundAnswer['body'],
    nonce: answer.headers.get('dpop-nonce'),
    cacheControl: answer.headers.get('cache-control'),
  }
}

/** The reasons of the refusals that were logged. */
export function refusalsOf({ log }: Pick<TestApp, 'log'>): readonly (string | undefined)[] {
  return log.filter(({ event }) => event === 'request.refused').map(({ reason }) => reason)
}
