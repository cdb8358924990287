// UUIDs as text, in lower case as we write them, and as their 16 bytes. By hand and without a pattern:
// a refresh reads and writes several.

export const UUID_BYTES = 16
const LENGTH = 36
const HYPHEN = '-'.charCodeAt(0)
const HYPHENS_AT = [8, 13, 18, 23]

/** The place of each digit in the text. */
const DIGITS_AT = Array.from({ length: LENGTH }, (_, at) => at).filter(
  (at) => !HYPHENS_AT.includes(at),
)

/** What each character counts as a digit; 255 for one that is none. */
const DIGIT_VALUES = new Uint8Array(256).fill(255)
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  DIGIT_VALUES[digit.charCodeAt(0)] = value
}

const scratch = new Uint8Array(UUID_BYTES)

export function isUuid(text: string): boolean {
  return writeUuid(text, scratch, 0)
}

/** Writes the bytes of a UUID to `at`; false, with anything written there, for what is none. */
export function writeUuid(text: string, bytes: Uint8Array, at: number): boolean {
  if (text.length !== LENGTH) return false
  for (const hyphenAt of HYPHENS_AT) if (text.charCodeAt(hyphenAt) !== HYPHEN) return false
  let seen = 0
  for (let index = 0; index < UUID_BYTES; index += 1) {
    const high = digitAt(text, 2 * index)
    const low = digitAt(text, 2 * index + 1)
    seen |= high | low
    bytes[at + index] = high * 16 + low
  }
  return seen < 16
}

/** The UUID whose 16 bytes begin at `at`. */
export function readUuid(bytes: Buffer, at: number): string {
  const digits = bytes.toString('hex', at, at + UUID_BYTES)
  const [a, b, c] = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16)]
  return `${a}-${b}-${c}-${digits.slice(16, 20)}-${digits.slice(20)}`
}

function digitAt(text: string, index: number): number {
  return DIGIT_VALUES[text.charCodeAt(DIGITS_AT[index] ?? 0)] ?? 255
}
