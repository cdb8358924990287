// Nonces of the server (RFC 9449 §8), by which a proof shows that it was made a moment ago. One names a
// window of time under a MAC, so that none is stored, every instance knows it, and a rollover of the root
// secret voids none.

import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '../runtime/clock.ts'
import { hmacSha256 } from '../secrets/hmac.ts'
import type { RootSecret, RootSecrets } from '../secrets/root-secret.ts'

/** A nonce is new for this long, and good for as long again. */
const WINDOW_MS = 120_000
const VERSION = 1
const HEAD_BYTES = 6
const MAC_BYTES = 16

export interface KnownNonce {
  /** Whether it is that of this window, so that no other is to be told. */
  readonly isNewest: boolean
  /** Epoch milliseconds: from then on it is refused everywhere. */
  readonly usableUntilMs: number
}

export interface DpopNonces {
  /** The one to use from now on. */
  current(): string
  /** Undefined for anything that was not given out here, or too long ago. */
  find(nonce: unknown): KnownNonce | undefined
}

export function openDpopNonces(rootSecrets: RootSecrets, clock: Clock): DpopNonces {
  let made = { window: -1, text: '' }
  return {
    current() {
      const window = Math.floor(clock() / WINDOW_MS)
      if (made.window !== window) made = { window, text: mintNonce(window, rootSecrets.current) }
      return made.text
    },
    find(nonce) {
      const window = typeof nonce === 'string' ? readWindow(nonce, rootSecrets) : undefined
      if (window === undefined) return undefined
      const age = Math.floor(clock() / WINDOW_MS) - window
      // An instance whose clock is a little ahead gives out the one that comes next.
      if (age < -1 || age > 1) return undefined
      return { isNewest: age <= 0, usableUntilMs: (window + 2) * WINDOW_MS }
    },
  }
}

function mintNonce(window: number, root: RootSecret): string {
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUInt8(VERSION, 0)
  head.writeUInt8(root.id, 1)
  head.writeUInt32BE(window, 2)
  return Buffer.concat([head, macOf(head, root)]).toString('base64url')
}

function readWindow(nonce: string, rootSecrets: RootSecrets): number | undefined {
  const bytes = Buffer.from(nonce, 'base64url')
  if (bytes.length !== HEAD_BYTES + MAC_BYTES || bytes.toString('base64url') !== nonce) {
    return undefined
  }
  const head = bytes.subarray(0, HEAD_BYTES)
  const root = head.readUInt8(0) === VERSION ? rootSecrets.byId(head.readUInt8(1)) : undefined
  if (!root || !timingSafeEqual(macOf(head, root), bytes.subarray(HEAD_BYTES))) return undefined
  return head.readUInt32BE(2)
}

function macOf(head: Buffer, { dpopNonceKey }: RootSecret): Buffer {
  return hmacSha256(dpopNonceKey, head).subarray(0, MAC_BYTES)
}
