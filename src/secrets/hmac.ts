// HMAC-SHA-256 (RFC 2104) by one-shot hashes: for the few dozen bytes of a token that takes half the
// time of the streaming interface, and each refresh makes three (docs/performance.md).

import { hash } from 'node:crypto'

const BLOCK_BYTES = 64
const HASH_BYTES = 32

/** What the key becomes before each of the two hashes. */
interface Pads {
  readonly inner: Buffer
  /** With room for the inner hash behind it. */
  readonly outer: Buffer
}

const padsOf = new WeakMap<Buffer, Pads>()

/** The 32 bytes of the MAC. `key` has at most 64 bytes, and is not changed while it is in use. */
export function hmacSha256(key: Buffer, data: Buffer): Buffer {
  const { inner, outer } = padsOf.get(key) ?? preparePads(key)
  // A hash as text with a character for each byte, because making a Buffer costs more than the hash.
  const innerHash = hash('sha256', Buffer.concat([inner, data]), 'binary')
  outer.write(innerHash, BLOCK_BYTES, 'binary')
  return Buffer.from(hash('sha256', outer, 'binary'), 'binary')
}

function preparePads(key: Buffer): Pads {
  // RFC 2104 §2 hashes a longer key first; ours never are.
  if (key.length > BLOCK_BYTES) throw new RangeError('the key is longer than a block')
  const pads = { inner: padKey(key, 0x36, 0), outer: padKey(key, 0x5c, HASH_BYTES) }
  padsOf.set(key, pads)
  return pads
}

function padKey(key: Buffer, pad: number, room: number): Buffer {
  const padded = Buffer.alloc(BLOCK_BYTES + room, pad)
  for (const [at, byte] of key.entries()) padded[at] = byte ^ pad
  return padded
}
