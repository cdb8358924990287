// The root secret and the keys derived from it, one HKDF `info` for each use (docs/semantics.md
// §2). Knows nothing of what the keys protect.

import { hkdfSync } from 'node:crypto'

export interface RootSecret {
  /** Names the secret inside tokens and key rows: the first byte of an HKDF output of its own. */
  readonly id: number
  /** HMAC-SHA-256 over refresh tokens. */
  readonly refreshTokenKey: Buffer
  /** AES-256-GCM over private signing keys. */
  readonly keyEncryptionKey: Buffer
  /** HMAC-SHA-256 that makes the `jti` of user tokens. */
  readonly tokenIdKey: Buffer
  /** HMAC-SHA-256 that hides whom the counters of the throttle count. */
  readonly throttleKey: Buffer
  /** AES-256-GCM over the secrets that sign webhooks. */
  readonly webhookSecretKey: Buffer
  /** HMAC-SHA-256 over the tokens that mails carry. */
  readonly confirmationTokenKey: Buffer
  /** AES-256-GCM over the secrets of authenticators. */
  readonly factorSecretKey: Buffer
  /** HMAC-SHA-256 over the tokens between the two steps of a login. */
  readonly mfaTokenKey: Buffer
  /** HMAC-SHA-256 over the nonces of DPoP proofs. */
  readonly dpopNonceKey: Buffer
}

/** The configured root secrets: the first mints and encrypts, all verify and decrypt. */
export interface RootSecrets {
  readonly current: RootSecret
  readonly all: readonly RootSecret[]
  byId(id: number): RootSecret | undefined
}

/** Derives the keys of one secret of at least 32 bytes. */
export function deriveRootSecret(secret: Buffer): RootSecret {
  const derive = (info: string, length: number) =>
    Buffer.from(hkdfSync('sha256', secret, '', `lineage/v1/${info}`, length))
  return {
    id: derive('root-secret/id', 1).readUInt8(0),
    refreshTokenKey: derive('refresh-token/mac', 32),
    keyEncryptionKey: derive('signing-key/encryption', 32),
    tokenIdKey: derive('access-token/jti', 32),
    throttleKey: derive('throttle/names', 32),
    webhookSecretKey: derive('webhook-secret/encryption', 32),
    confirmationTokenKey: derive('confirmation-token/mac', 32),
    factorSecretKey: derive('factor-secret/encryption', 32),
    mfaTokenKey: derive('mfa-token/mac', 32),
    dpopNonceKey: derive('dpop-nonce/mac', 32),
  }
}

/** Throws RangeError when the list is empty or two secrets have the same one-byte id. */
export function openRootSecrets(secrets: readonly Buffer[]): RootSecrets {
  const all = secrets.map(deriveRootSecret)
  const [current] = all
  if (!current) throw new RangeError('at least one root secret is needed')
  const byId = new Map(all.map((secret) => [secret.id, secret]))
  if (byId.size !== all.length) throw new RangeError('two root secrets have the same one-byte id')
  return { current, all, byId: (id) => byId.get(id) }
}
