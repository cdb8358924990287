// Nonces for proofs (RFC 9449 §9) that say themselves until when they are good, so that nothing is kept and
// instances with one secret take each other's.

import { createHmac, timingSafeEqual } from 'node:crypto'

export interface ProofNonces {
  /** What proofs have to hold from now on. */
  current(): string
  isGood(nonce: string): boolean
}

const SECRET_MIN_BYTES = 32

/** One is good for `lifeSeconds` to twice as long. Throws RangeError for a secret under 32 bytes. */
export function createProofNonces(
  secret: Uint8Array,
  { lifeSeconds = 120, nowMs = () => Date.now() } = {},
): ProofNonces {
  if (secret.byteLength < SECRET_MIN_BYTES) {
    throw new RangeError(`the secret needs ${SECRET_MIN_BYTES} bytes`)
  }
  const windowOf = (ms: number) => Math.floor(ms / 1000 / lifeSeconds)
  const nonceOf = (window: number) =>
    createHmac('sha256', secret).update(`lineage-verify nonce ${window}`).digest('base64url')
  return {
    current: () => nonceOf(windowOf(nowMs())),
    isGood(nonce) {
      const window = windowOf(nowMs())
      const given = Buffer.from(nonce)
      return [window, window - 1].map(nonceOf).some((one) => {
        const good = Buffer.from(one)
        return good.byteLength === given.byteLength && timingSafeEqual(good, given)
      })
    },
  }
}
