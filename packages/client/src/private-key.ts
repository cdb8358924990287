// A client's own private key, in whichever form it is kept, and the algorithm that it signs with.

import { createPrivateKey, createPublicKey, type JsonWebKey, KeyObject } from 'node:crypto'
import { type CryptoKey, exportJWK, type JWK } from 'jose'
import { TokenRequestError } from './client-errors.ts'

/** A private JWK, a PKCS #8 or other PEM, or a key as Node or WebCrypto has it. */
export type PrivateKeyInput = JWK | string | KeyObject | CryptoKey

export interface SigningKey {
  readonly key: KeyObject | CryptoKey
  readonly alg: string
  readonly kid: string | undefined
}

const EC_ALGS: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  'P-256': 'ES256',
  secp384r1: 'ES384',
  'P-384': 'ES384',
  secp521r1: 'ES512',
  'P-521': 'ES512',
}

/** `alg` and `kid` may be given; else they come from the key. Throws TokenRequestError. */
export function openPrivateKey(
  input: PrivateKeyInput,
  { alg, kid }: { alg?: string | undefined; kid?: string | undefined } = {},
): SigningKey {
  const jwk = isJwk(input) ? input : undefined
  const key = toKey(input)
  const found = alg ?? jwk?.alg ?? (key instanceof KeyObject ? algOfObject(key) : algOfCrypto(key))
  if (!found) throw new TokenRequestError('credentials', 'the algorithm of the key is not known')
  return { key, alg: found, kid: kid ?? jwk?.kid }
}

/** The public half, without a member of the private one. */
export async function publicJwkOf(key: KeyObject | CryptoKey): Promise<JWK> {
  const object = key instanceof KeyObject ? key : KeyObject.from(key)
  return await exportJWK(object.type === 'public' ? object : createPublicKey(object))
}

function isJwk(input: PrivateKeyInput): input is JWK {
  return typeof input === 'object' && 'kty' in input
}

function toKey(input: PrivateKeyInput): KeyObject | CryptoKey {
  const key = typeof input === 'string' || isJwk(input) ? parseKey(input) : input
  if (key.type === 'private') return key
  throw new TokenRequestError('credentials', 'that is no private key')
}

/** What Node says of a bad key may repeat a part of it, so it is no cause. */
function parseKey(input: JWK | string): KeyObject {
  try {
    if (typeof input === 'string') return createPrivateKey(input)
    return createPrivateKey({ key: input as JsonWebKey, format: 'jwk' })
  } catch {
    throw new TokenRequestError('credentials', 'the private key cannot be read')
  }
}

function algOfObject({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  if (asymmetricKeyType === 'ec') return EC_ALGS[asymmetricKeyDetails?.namedCurve ?? '']
  if (asymmetricKeyType === 'ed25519') return 'EdDSA'
  if (asymmetricKeyType === 'rsa-pss') return 'PS256'
  return asymmetricKeyType === 'rsa' ? 'RS256' : undefined
}

function algOfCrypto({ algorithm }: CryptoKey): string | undefined {
  const {
    name,
    namedCurve = '',
    hash,
  } = algorithm as CryptoKey['algorithm'] & {
    namedCurve?: string
    hash?: { name: string }
  }
  const size = hash?.name.replace('SHA-', '') ?? ''
  if (name === 'ECDSA') return EC_ALGS[namedCurve]
  if (name === 'Ed25519') return 'EdDSA'
  if (name === 'RSA-PSS') return `PS${size}`
  return name === 'RSASSA-PKCS1-v1_5' ? `RS${size}` : undefined
}
