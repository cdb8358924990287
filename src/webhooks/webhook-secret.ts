// The secrets of a webhook and what they sign (Standard Webhooks 1.0, "Signature scheme"). Stored
// sealed; two at a time, so that a receiver can change over without refusing anything.

import { createHmac, randomBytes } from 'node:crypto'
import type { RootSecrets } from '../secrets/root-secret.ts'
import { sealValue, unsealValue } from '../secrets/sealed-value.ts'

const PREFIX = 'whsec_'
const SECRET_BYTES = 32
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

/** Puts a new current secret first in the list; the previous one stays for a day. */
export function addWebhookSecret(
  secrets: readonly WebhookSecret[],
  nowMs: number,
): readonly [WebhookSecret, ...WebhookSecret[]] {
  const secret = `${PREFIX}${randomBytes(SECRET_BYTES).toString('base64')}`
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
