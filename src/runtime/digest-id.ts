// An id that follows from a text, for what everybody has to call by the same id without having agreed.

import { createHash } from 'node:crypto'
import { readUuid } from './uuid.ts'

/** A UUID of version 8 (RFC 9562 §5.8): the same text gives the same id on every instance. */
export function digestId(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16)
  bytes.writeUInt8(0x80 | (bytes.readUInt8(6) & 0x0f), 6)
  return readUuid(markVariant(bytes), 0)
}

/** The two bits that every UUID of RFC 9562 has. */
export function markVariant(bytes: Buffer): Buffer {
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8)
  return bytes
}
