// Certificates made for a test, of any name, date and signer: DER written by hand, so that what no
// decent authority would sign is there too.

import {
  createHash,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { makeKeyPairSync } from '../../src/runtime/key-pair.ts'

const DAY_MS = 86_400_000

const OIDS = {
  CN: '2.5.4.3',
  C: '2.5.4.6',
  L: '2.5.4.7',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  DC: '0.9.2342.19200300.100.1.25',
  emailAddress: '1.2.840.113549.1.9.1',
} as const

/** The ASN.1 types of a text. */
export const UTF8 = 0x0c
export const PRINTABLE = 0x13
export const IA5 = 0x16
export const BMP = 0x1e

export type Attribute = readonly [type: keyof typeof OIDS, value: string, tag?: number]
/** As they stand in the certificate, so in the order opposite to RFC 4514's. */
export type Subject = readonly (Attribute | readonly Attribute[])[]

export interface AlternativeNames {
  readonly dns?: readonly string[]
  readonly uri?: readonly string[]
  readonly ip?: readonly (readonly number[])[]
  readonly email?: readonly string[]
}

export interface CertificateOptions {
  readonly subject?: Subject
  readonly names?: AlternativeNames
  readonly notBefore?: Date
  readonly notAfter?: Date
  readonly isAuthority?: boolean
  /** `serverAuth` in place of `clientAuth`. */
  readonly isForServers?: boolean
  /** Another one's key, to make a second certificate for it. */
  readonly key?: KeyObject
}

export interface Certified {
  readonly cert: string
  readonly key: string
  readonly privateKey: KeyObject
  readonly x509: X509Certificate
  /** `cnf["x5t#S256"]` of what is bound to it. */
  readonly thumbprint: string
  /** The value of RFC 9440. */
  readonly header: string
}

export interface Authority extends Certified {
  issue(options: CertificateOptions): Certified
}

/** An authority that has signed itself. */
export function makeAuthority(commonName = 'Test CA'): Authority {
  const self = makeSelfSigned({ subject: [['CN', commonName]], isAuthority: true })
  return {
    ...self,
    issue: (options) => certify(options, [['CN', commonName]], self.privateKey),
  }
}

export function makeSelfSigned(options: CertificateOptions): Certified {
  const key = options.key ?? newKey()
  return certify({ ...options, key }, options.subject ?? [['CN', 'nobody']], key)
}

function newKey(): KeyObject {
  return makeKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey
}

function certify(options: CertificateOptions, issuer: Subject, signer: KeyObject): Certified {
  const { subject = [['CN', 'nobody']], names = {}, key: privateKey = newKey() } = options
  const { notBefore = new Date(Date.now() - DAY_MS) } = options
  const { notAfter = new Date(Date.now() + DAY_MS) } = options
  const algorithm = der(0x30, oid('1.2.840.10045.4.3.2'))
  const usage = options.isForServers ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2'
  const extensions = options.isAuthority
    ? [extension('2.5.29.19', der(0x30, der(0x01, Buffer.from([0xff]))), true)]
    : [extension('2.5.29.37', der(0x30, oid(usage)))]
  const general = toGeneralNames(names)
  if (general.length > 0) extensions.push(extension('2.5.29.17', der(0x30, ...general)))
  const tbs = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    toName(issuer),
    der(0x30, toTime(notBefore), toTime(notAfter)),
    toName(subject),
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, ...extensions)),
  )
  const signature = der(0x03, Buffer.from([0]), sign('sha256', tbs, signer))
  const raw = der(0x30, tbs, algorithm, signature)
  return {
    cert: new X509Certificate(raw).toString(),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    privateKey,
    x509: new X509Certificate(raw),
    thumbprint: createHash('sha256').update(raw).digest('base64url'),
    header: `:${raw.toString('base64')}:`,
  }
}

function toName(subject: Subject): Buffer {
  const sets = subject.map((rdn) => {
    const attributes = (typeof rdn[0] === 'string' ? [rdn] : rdn) as readonly Attribute[]
    const encoded = attributes.map(([type, value, tag = UTF8]) =>
      der(0x30, oid(OIDS[type]), der(tag, encodeText(value, tag))),
    )
    return der(0x31, ...encoded.sort(Buffer.compare))
  })
  return der(0x30, ...sets)
}

function encodeText(value: string, tag: number): Buffer {
  return tag === BMP ? Buffer.from(value, 'utf16le').swap16() : Buffer.from(value, 'utf8')
}

function toGeneralNames({ dns = [], uri = [], ip = [], email = [] }: AlternativeNames): Buffer[] {
  const texts = (tag: number, values: readonly string[]) =>
    values.map((value) => der(tag, Buffer.from(value, 'latin1')))
  const addresses = ip.map((octets) => der(0x87, Buffer.from(octets)))
  return [...texts(0x81, email), ...texts(0x82, dns), ...texts(0x86, uri), ...addresses]
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [der(0x01, Buffer.from([0xff]))] : []
  return der(0x30, oid(id), ...critical, der(0x04, value))
}

/** UTCTime until 2049, as RFC 5280 §4.1.2.5 has it. */
function toTime(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)
  const isShort = date.getUTCFullYear() < 2050
  return der(isShort ? 0x17 : 0x18, Buffer.from(`${isShort ? digits.slice(2) : digits}Z`))
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const septets = [arc & 0x7f]
    for (let left = arc >>> 7; left > 0; left >>>= 7) septets.unshift((left & 0x7f) | 0x80)
    bytes.push(...septets)
  }
  return der(0x06, Buffer.from(bytes))
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const octets =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...octets]), content])
}
