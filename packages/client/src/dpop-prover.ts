// Proofs that the sender of a request holds a key (RFC 9449 §4), and the nonces that servers ask for.

import { createHash, randomUUID } from 'node:crypto'
import { type CryptoKey, calculateJwkThumbprint, exportJWK, type JWK, SignJWT } from 'jose'
import type { ClientClock } from './client-clock.ts'
import { TokenRequestError } from './client-errors.ts'
import { makeFreshKeys } from './fresh-keys.ts'
import { openPrivateKey, type PrivateKeyInput, publicJwkOf } from './private-key.ts'

/**
 * `true` makes a key that lives as long as the process. Whoever keeps a refresh token of a public client
 * keeps its key, too: the token is good for nothing without it.
 */
export type DpopInput =
  | true
  | { readonly key: PrivateKeyInput | ProofKeyPair; readonly alg?: string }

export interface ProofKeyPair {
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
}

export interface ProofTarget {
  readonly method: string
  readonly url: string
  readonly accessToken?: string
}

export interface DpopProver {
  prove(target: ProofTarget): Promise<string>
  /** Of its public key (RFC 7638), as tokens name it. */
  thumbprint(): Promise<string>
  /** Keeps the nonce that an answer brings; whether it brought one. */
  learn(url: string, headers: Headers): boolean
}

interface ProofKey {
  readonly key: ReturnType<typeof openPrivateKey>['key']
  readonly alg: string
  readonly jwk: JWK
}

/** Servers give each of their origins nonces of its own. */
const ORIGINS_MAX = 100
const NONCE_MAX_LENGTH = 1_024

export function createDpopProver(input: DpopInput, clock: ClientClock): DpopProver {
  const nonces = new Map<string, string>()
  let opened: Promise<ProofKey> | undefined
  const open = () => {
    opened ??= openProofKey(input)
    return opened
  }

  return {
    async prove({ method, url, accessToken }) {
      const { key, alg, jwk } = await open()
      const { origin, pathname } = new URL(url)
      const nonce = nonces.get(origin)
      const claims = {
        jti: randomUUID(),
        iat: Math.floor(clock.nowMs() / 1000),
        htm: method,
        // Without query and fragment (RFC 9449 §4.2).
        htu: `${origin}${pathname}`,
        ...(nonce === undefined ? {} : { nonce }),
        ...(accessToken === undefined ? {} : { ath: hash(accessToken) }),
      }
      return await new SignJWT(claims).setProtectedHeader({ typ: 'dpop+jwt', alg, jwk }).sign(key)
    },

    thumbprint: async () => await calculateJwkThumbprint((await open()).jwk),

    learn(url, headers) {
      const nonce = headers.get('dpop-nonce')
      const { origin } = new URL(url)
      if (!nonce || nonce.length > NONCE_MAX_LENGTH) return false
      nonces.delete(origin)
      nonces.set(origin, nonce)
      const [oldest] = nonces.keys()
      if (nonces.size > ORIGINS_MAX && oldest !== undefined) nonces.delete(oldest)
      return true
    },
  }
}

/** A private key to keep beside a refresh token, as a JWK. */
export async function generateDpopKey(alg = 'ES256'): Promise<JWK> {
  const { privateKey } = await makeFreshKeys(alg)
  return { ...(await exportJWK(privateKey)), alg }
}

async function openProofKey(input: DpopInput): Promise<ProofKey> {
  if (input === true) {
    const { privateKey, publicKey } = await makeFreshKeys('ES256')
    return { key: privateKey, alg: 'ES256', jwk: await publicJwkOf(publicKey) }
  }
  const { key: given, alg: wanted } = input
  const isPair = typeof given === 'object' && 'privateKey' in given && 'publicKey' in given
  const pair = isPair ? (given as ProofKeyPair) : undefined
  const { key, alg } = openPrivateKey(pair?.privateKey ?? (given as PrivateKeyInput), {
    alg: wanted,
  })
  if (!pair && !('export' in key) && !key.extractable) {
    const message = 'of a key that cannot be exported the public one has to be given, too'
    throw new TokenRequestError('credentials', message)
  }
  return { key, alg, jwk: await publicJwkOf(pair?.publicKey ?? key) }
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
