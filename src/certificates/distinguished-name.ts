// Distinguished names, as certificates have them and as RFC 4514 writes them, brought to one form in which
// two that mean the same are the same text: attributes by their identifiers, values by their characters,
// whatever string type or escape they came in.

import { attributeTypeOf } from './attribute-types.ts'
import { type DerValue, readOid, readValues, readWithin, TAG } from './der-reader.ts'

/** Compare by `===`. */
export type DistinguishedName = string & { readonly brand: 'DistinguishedName' }

/** Of a certificate's subject; longer names are nobody's. */
const LENGTH_MAX = 2_048

const UTF8_STRING = 0x0c
const BMP_STRING = 0x1e
/** Numeric, printable, IA5 and visible strings: all of them ASCII. */
const ASCII_STRINGS: ReadonlySet<number> = new Set([0x12, 0x13, 0x16, 0x1a])

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const utf16 = new TextDecoder('utf-16be', { fatal: true, ignoreBOM: true })

/** Of a Name in DER (RFC 5280 §4.1.2.4); throws RangeError or TypeError for anything else. */
export function readDistinguishedName(name: DerValue | undefined): DistinguishedName {
  return toCanonical(
    readWithin(name, TAG.sequence).map((rdn) =>
      readWithin(rdn, TAG.set).map((attribute) => {
        const [type, value, ...rest] = readWithin(attribute, TAG.sequence)
        if (!value || rest.length > 0) throw new RangeError('no attribute')
        return toAttribute(readOid(type), value)
      }),
    ),
  )
}

/** What a text of RFC 4514 means; undefined where it is none, and for the empty name. */
export function parseDistinguishedName(text: string): DistinguishedName | undefined {
  // Half of a pair would become another character below.
  if (text === '' || text.length > LENGTH_MAX || /\p{Cs}/u.test(text)) return undefined
  try {
    const rdns = splitAt(text, ',').map((rdn) => splitAt(rdn, '+').map(parseAttribute))
    // The last of the text is the first of the certificate (RFC 4514 §2.1).
    return toCanonical(rdns.reverse())
  } catch {
    return undefined
  }
}

/** The attributes of one RDN have no order. */
function toCanonical(rdns: readonly (readonly string[])[]): DistinguishedName {
  return JSON.stringify(rdns.map((attributes) => [...attributes].sort())) as DistinguishedName
}

/** By characters where the value is a text, else by all of its bytes. */
function toAttribute(type: string, value: DerValue): string {
  const text = readText(value)
  if (text !== undefined) return `${type}=${text}`
  return `${type}#${value.tag}.${value.content.toString('hex')}`
}

function readText({ tag, content }: DerValue): string | undefined {
  if (tag === UTF8_STRING) return utf8.decode(content)
  if (tag === BMP_STRING) return utf16.decode(content)
  if (!ASCII_STRINGS.has(tag)) return undefined
  if (content.some((byte) => byte > 0x7f)) throw new RangeError('not ASCII')
  return content.toString('latin1')
}

/** Cuts at the separators that are not escaped (RFC 4514 §3). */
function splitAt(text: string, separator: string): string[] {
  const parts: string[] = []
  let start = 0
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === separator) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...parts, text.slice(start)]
}

function parseAttribute(text: string): string {
  const equals = text.indexOf('=')
  const type = attributeTypeOf(text.slice(0, Math.max(equals, 0)))
  if (type === undefined) throw new RangeError('an unknown attribute')
  const written = text.slice(equals + 1)
  if (written.startsWith('#')) {
    const bytes = Buffer.from(written.slice(1), 'hex')
    const [value, ...rest] = readValues(bytes)
    const isExact = bytes.toString('hex') === written.slice(1).toLowerCase()
    if (!value || rest.length > 0 || !isExact) throw new RangeError('no value in hexadecimal')
    return toAttribute(type, value)
  }
  return `${type}=${unescapeValue(written)}`
}

/** Characters that a value holds only behind a backslash, and all that may stand behind one. */
const SPECIAL: ReadonlySet<string> = new Set('"+,;<>\0')
const ESCAPABLE: ReadonlySet<string> = new Set(' "#+,;<=>\\')

function unescapeValue(written: string): string {
  if (written === '' || written.startsWith(' ')) throw new RangeError('a blank at the beginning')
  const bytes: Buffer[] = []
  let lastIsBlank = false
  for (let at = 0; at < written.length; at += 1) {
    const point = written.codePointAt(at) ?? 0
    const character = String.fromCodePoint(point)
    lastIsBlank = character === ' '
    if (character === '\\') {
      const next = written[at + 1] ?? ''
      const pair = written.slice(at + 1, at + 3)
      const byte = Buffer.from(pair, 'hex')
      if (ESCAPABLE.has(next)) bytes.push(Buffer.from(next))
      else if (byte.length === 1) bytes.push(byte)
      else throw new RangeError('an escape of nothing')
      at += ESCAPABLE.has(next) ? 1 : 2
      continue
    }
    if (SPECIAL.has(character)) throw new RangeError('a special character')
    bytes.push(Buffer.from(character))
    at += character.length - 1
  }
  if (lastIsBlank) throw new RangeError('a blank at the end')
  return utf8.decode(Buffer.concat(bytes))
}
