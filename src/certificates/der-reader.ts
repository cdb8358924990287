// DER (X.690 §10) as far as names in certificates need it: values one after another, with lengths that are
// definite and written in the shortest way. Whatever is not so throws RangeError.

export interface DerValue {
  readonly tag: number
  readonly content: Buffer
}

export const TAG = {
  oid: 0x06,
  sequence: 0x30,
  set: 0x31,
} as const

/** All values in the bytes. */
export function readValues(bytes: Buffer): DerValue[] {
  const values: DerValue[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes.readUInt8(at)
    // A tag of several bytes stands nowhere in a certificate.
    if ((tag & 0x1f) === 0x1f) throw new RangeError('a long tag')
    const { length, start } = readLength(bytes, at + 1)
    const end = start + length
    if (end > bytes.length) throw new RangeError('a value that is cut off')
    values.push({ tag, content: bytes.subarray(start, end) })
    at = end
  }
  return values
}

/** The values within a value of that tag. */
export function readWithin(value: DerValue | undefined, tag: number): DerValue[] {
  if (value?.tag !== tag) throw new RangeError('another kind of value')
  return readValues(value.content)
}

/** An object identifier in dotted decimals. */
export function readOid(value: DerValue | undefined): string {
  if (value?.tag !== TAG.oid || value.content.length === 0) throw new RangeError('no identifier')
  const arcs: bigint[] = []
  let arc = 0n
  for (const [index, byte] of value.content.entries()) {
    if (arc === 0n && byte === 0x80) throw new RangeError('an identifier with leading zeros')
    arc = (arc << 7n) | BigInt(byte & 0x7f)
    if (byte < 0x80) {
      arcs.push(arc)
      arc = 0n
    } else if (index === value.content.length - 1) throw new RangeError('an identifier cut off')
  }
  const [both = 0n, ...rest] = arcs
  const first = both < 80n ? both / 40n : 2n
  return [first, both - first * 40n, ...rest].join('.')
}

function readLength(bytes: Buffer, at: number): { length: number; start: number } {
  const first = bytes.readUInt8(at)
  if (first < 0x80) return { length: first, start: at + 1 }
  const octets = first & 0x7f
  if (octets < 1 || octets > 3) throw new RangeError('a length of another form')
  const length = bytes.readUIntBE(at + 1, octets)
  const least = octets === 1 ? 0x80 : 2 ** (8 * (octets - 1))
  if (length < least) throw new RangeError('a length with leading zeros')
  return { length, start: at + 1 + octets }
}
