// Base32 (RFC 4648 §6) without padding, in which authenticators take their secrets.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Eight characters for each five bytes; `bytes` has a multiple of five. */
export function encodeBase32(bytes: Buffer, alphabet = ALPHABET): string {
  if (bytes.length % 5 !== 0) throw new RangeError('the bytes would need padding')
  let text = ''
  for (let at = 0; at < bytes.length; at += 5) {
    // Five bytes are below 2^53, so plain division takes them apart.
    let value = bytes.readUIntBE(at, 5)
    let group = ''
    for (let digit = 0; digit < 8; digit += 1) {
      group = alphabet.charAt(value % 32) + group
      value = Math.floor(value / 32)
    }
    text += group
  }
  return text
}
