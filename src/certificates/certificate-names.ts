// Whom a certificate names: its subject, and its alternative names (RFC 5280 §4.1.2.6, §4.2.1.6), read
// from its own bytes, because a printed name is no longer the name.

import { parseIpAddress } from '../runtime/ip-address.ts'
import { type DerValue, readOid, readValues, readWithin, TAG } from './der-reader.ts'
import { type DistinguishedName, readDistinguishedName } from './distinguished-name.ts'

export interface CertificateNames {
  readonly subject: DistinguishedName
  readonly dns: readonly string[]
  readonly uris: readonly string[]
  /** As `parseIpAddress` writes them. */
  readonly ips: readonly string[]
  readonly emails: readonly string[]
}

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'
const VERSION = 0xa0
const EXTENSIONS = 0xa3
const OCTET_STRING = 0x04
/** RFC 5280 §4.2.1.6, by the tags of GeneralName. */
const EMAIL = 0x81
const DNS = 0x82
const URI = 0x86
const IP = 0x87
/** Those, and the other five: of another kind, of X.400, a directory's, an EDI party's, a registered one. */
const GENERAL_NAMES: ReadonlySet<number> = new Set([
  EMAIL,
  DNS,
  URI,
  IP,
  0xa0,
  0xa3,
  0xa4,
  0xa5,
  0x88,
])

/** Undefined where they cannot be read in one way. */
export function readCertificateNames(raw: Buffer): CertificateNames | undefined {
  try {
    const [tbs] = readWithin(readValues(raw)[0], TAG.sequence)
    const fields = readWithin(tbs, TAG.sequence)
    // Serial number, algorithm, issuer and validity stand before the subject.
    const subject = fields[fields[0]?.tag === VERSION ? 5 : 4]
    const names = readAlternativeNames(fields.find(({ tag }) => tag === EXTENSIONS))
    const texts = (wanted: number) =>
      names.filter(({ tag }) => tag === wanted).map(({ content }) => content.toString('latin1'))
    const addresses = names.filter(({ tag }) => tag === IP)
    return {
      subject: readDistinguishedName(subject),
      dns: texts(DNS),
      uris: texts(URI),
      ips: addresses.map(({ content }) => toAddress(content)),
      emails: texts(EMAIL),
    }
  } catch {
    return undefined
  }
}

function readAlternativeNames(extensions: DerValue | undefined): DerValue[] {
  if (!extensions) return []
  const [list] = readValues(extensions.content)
  const found = readWithin(list, TAG.sequence)
    .map((extension) => readWithin(extension, TAG.sequence))
    .filter(([id]) => readOid(id) === SUBJECT_ALTERNATIVE_NAME)
  // RFC 5280 §4.2: an extension stands there once.
  if (found.length > 1) throw new RangeError('two lists of names')
  const value = found[0]?.at(-1)
  if (!value) return []
  if (value.tag !== OCTET_STRING) throw new RangeError('an extension without a value')
  const names = readWithin(readValues(value.content)[0], TAG.sequence)
  // Whoever knows the list cannot read it then, OpenSSL among them.
  if (!names.every(({ tag }) => GENERAL_NAMES.has(tag))) throw new RangeError('a name of no kind')
  return names
}

function toAddress(octets: Buffer): string {
  const groups = octets.toString('hex').match(/.{4}/g) ?? []
  const text = octets.length === 4 ? [...octets].join('.') : groups.join(':')
  const address = octets.length === 4 || octets.length === 16 ? parseIpAddress(text) : undefined
  if (address === undefined) throw new RangeError('no address')
  return address
}
