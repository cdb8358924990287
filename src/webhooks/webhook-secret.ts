// The secrets of a webhook and what they sign (Standard Webhooks 1.0, "Signature scheme"). Stored
// sealed; two at a time, so that a receiver can change over without refusing anything.

import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { RootSecrets } from '../secrets/root-secret.ts'
import { sealValue, unsealValue } from '../secrets/sealed-value.ts'

const PREFIX = 'whsec_'
const SECRET_BYTES = 32
const GIVEN_LENGTH_MAX = 128
/** How long the previous secret goes on signing beside a new one. */
const OVERLAP_MS = 24 * 60 * 60 * 1000

export interface WebhookSecret {
  /** `whsec_` and base64. */
  readonly secret: string
  /** Undefined for the current one. */
  readonly signsUntilMs?: number
}

export interface SealedSecrets {
  readonly secretsEncrypted: Uint8Array<ArrayBuffer>
  readonly rootSecretId: number
}

/** What a secret that somebody else has made must look like (Standard Webhooks 1.0, 24 to 64 bytes). */
export const GIVEN_WEBHOOK_SECRET_RULE = `must be ${PREFIX} and the base64 of 24 to 64 random bytes`

/** Whether it keeps that rule, in the one spelling that base64 has. */
export function isWebhookSecret(text: string): boolean {
  if (!text.startsWith(PREFIX) || text.length > GIVEN_LENGTH_MAX) return false
  const encoded = text.slice(PREFIX.length)
  const bytes = Buffer.from(encoded, 'base64')
  return bytes.toString('base64') === encoded && bytes.length >= 24 && bytes.length <= 64
}

/** Whether this is the secret that signs now; takes as long whichever it is. */
export function isCurrentSecret(given: string, [current]: readonly WebhookSecret[]): boolean {
  const digest = (text: string) => hash('sha256', text, 'buffer')
  return timingSafeEqual(digest(given), digest(current?.secret ?? ''))
}

/**
 * Puts a new current secret first in the list, the given one or one that is made; the previous one stays
 * for a day.
 */
export function addWebhookSecret(
  secrets: readonly WebhookSecret[],
  nowMs: number,
  secret = `${PREFIX}${randomBytes(SECRET_BYTES).toString('base64')}`,
): readonly [WebhookSecret, ...WebhookSecret[]] {
  const before = secrets.slice(0, 1).map((old) => ({ ...old, signsUntilMs: nowMs + OVERLAP_MS }))
  return [{ secret }, ...before]
}

export function sealSecrets(
  secrets: readonly WebhookSecret[],
  webhookId: string,
  { current }: RootSecrets,
): SealedSecrets {
  const plain = Buffer.from(JSON.stringify(secrets))
  return {
    secretsEncrypted: sealValue(plain, current.webhookSecretKey, webhookId),
    rootSecretId: current.id,
  }
}

/** Undefined when no configured root secret opens them. */
export function unsealSecrets(
  { secretsEncrypted, rootSecretId }: SealedSecrets,
  webhookId: string,
  rootSecrets: RootSecrets,
): readonly WebhookSecret[] | undefined {
  const root = rootSecrets.byId(rootSecretId)
  const plain = root && unsealValue(secretsEncrypted, root.webhookSecretKey, webhookId)
  return plain && (JSON.parse(plain.toString()) as WebhookSecret[])
}

/** The three headers of one attempt: one signature for each secret that signs at `nowMs`. */
export function signWebhook(
  message: { readonly id: string; readonly body: string },
  secrets: readonly WebhookSecret[],
  nowMs: number,
): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1000))
  const signatures = secrets
    .filter(({ signsUntilMs }) => signsUntilMs === undefined || nowMs < signsUntilMs)
    .map(({ secret }) => {
      const key = Buffer.from(secret.slice(PREFIX.length), 'base64')
      const signed = `${message.id}.${timestamp}.${message.body}`
      return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`
    })
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  }
}
