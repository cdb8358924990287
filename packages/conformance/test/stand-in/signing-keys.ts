// The signing keys, made once for a process, and the JWK Set that publishes their public halves.

import { createHash, createSecretKey, type KeyObject, randomUUID } from 'node:crypto'
import {
  type CryptoKey,
  calculateJwkThumbprint,
  compactVerify,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  exportSPKI,
  importJWK,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose'
import { makeKeys } from './make-keys.ts'
import type { Call, Has, Reply } from './wire.ts'

const ALG = 'RS256'

export interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly privateJwk: JWK
  readonly publicJwk: JWK
  /** What a verifier takes for an HMAC secret that confuses the two kinds of key. */
  readonly publicPem: string
}

let made: Promise<SigningKey> | undefined

/** Throws nothing: one key for the whole process, as making one takes a while. */
export function loadSigningKey(): Promise<SigningKey> {
  made ??= makeSigningKey()
  return made
}

async function makeSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = makeKeys(ALG)
  const publicJwk = await exportJWK(publicKey)
  return {
    privateKey,
    publicKey,
    publicJwk,
    privateJwk: await exportJWK(privateKey),
    kid: await calculateJwkThumbprint(publicJwk),
    publicPem: await exportSPKI(publicKey),
  }
}

/** Signs claims as one of the kinds of token there are; `typ` tells them apart (RFC 8725 §3.11). */
export async function signJwt(key: SigningKey, typ: string, claims: JWTPayload, has: Has) {
  if (has('unsigned-tokens-issued')) {
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
    return `${encode({ alg: 'none', typ })}.${encode(claims)}.`
  }
  const header: JWTHeaderParameters = {
    alg: ALG,
    ...(has('typ-missing') ? {} : { typ: has('typ-plain') ? 'JWT' : typ }),
    ...(has('kid-missing') ? {} : { kid: key.kid }),
  }
  return await new SignJWT(claims).setProtectedHeader(header).sign(key.privateKey)
}

/** The claims of a token that we signed; undefined for every other text. */
export async function readJwt(key: SigningKey, jwt: string, has: Has) {
  try {
    const { alg = '', typ, jwk } = decodeProtectedHeader(jwt)
    if (has('signature-unchecked')) return decodeJwt(jwt)
    if (alg === 'none' && has('alg-none-believed')) return decodeJwt(jwt)
    if (typ !== 'at+jwt' && !has('typ-missing') && !has('typ-plain')) return undefined
    const { payload } = await compactVerify(jwt, await chooseKey(key, alg, jwk, has), {
      algorithms: [ALG, ...(has('hmac-confused') ? ['HS256'] : [])],
    })
    return JSON.parse(Buffer.from(payload).toString()) as JWTPayload
  } catch {
    return undefined
  }
}

async function chooseKey(
  { publicKey, publicPem }: SigningKey,
  alg: string,
  jwk: JWK | undefined,
  has: Has,
): Promise<CryptoKey | KeyObject | Uint8Array> {
  if (alg === 'HS256' && has('hmac-confused')) return createSecretKey(Buffer.from(publicPem))
  if (jwk && has('jwk-header-believed')) return await importJWK(jwk, alg)
  return publicKey
}

export function serveJwks({ kid, publicJwk, privateJwk }: SigningKey, call: Call, has: Has): Reply {
  const jwk = {
    ...(has('private-key-published') ? privateJwk : publicJwk),
    ...(has('published-kid-missing')
      ? {}
      : { kid: has('signing-key-unpublished') ? 'other' : kid }),
    ...(has('key-use-missing') ? {} : { use: 'sig', alg: ALG }),
  }
  const keys = has('duplicate-kid') ? [jwk, { ...jwk }] : [jwk]
  const body = JSON.stringify({ keys })
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`
  const headers = {
    'Content-Type': has('jwks-as-text') ? 'text/plain' : 'application/jwk-set+json',
    ...(has('jwks-etag-missing') ? {} : { ETag: etag }),
    ...(has('jwks-max-age-missing') ? {} : { 'Cache-Control': 'public, max-age=300' }),
  }
  const isKnown = call.headers['if-none-match'] === etag && !has('etag-ignored')
  return isKnown ? { status: 304, headers } : { status: 200, headers, body }
}

export const makeJti = (has: Has): string => (has('jti-repeated') ? 'the-only-one' : randomUUID())
