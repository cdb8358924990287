// A certificate that says all that another one says, made by somebody who has not its key: the fields of
// the other one, a key of our own, and our own signature (RFC 5280 §4.1).

import { createPublicKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import type { CertifiedKey } from './credentials.ts'

const SEQUENCE = 0x30
const BIT_STRING = 0x03
const VERSION = 0xa0
const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex')

/** Places in a certificate without its version: algorithm and key of the one who signed it, and its own. */
const [ALGORITHM, KEY] = [1, 5]

/** The same names, dates and issuer, so that only who looks at the chain or the key tells them apart. */
export function makeImpostor({ certificate }: Pick<CertifiedKey, 'certificate'>): CertifiedKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const [whole] = readElements(new X509Certificate(certificate).raw)
  const [signed] = readElements(contentOf(whole))
  const fields = readElements(contentOf(signed))
  const first = fields[0]?.[0] === VERSION ? 1 : 0
  fields[first + ALGORITHM] = ECDSA_WITH_SHA256
  fields[first + KEY] = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const forged = wrap(SEQUENCE, ...fields)
  const signature = wrap(BIT_STRING, Buffer.from([0]), sign('sha256', forged, privateKey))
  return {
    certificate: new X509Certificate(
      wrap(SEQUENCE, forged, ECDSA_WITH_SHA256, signature),
    ).toString(),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** Of DER that OpenSSL has read before, so that nothing in it is malformed. */
function readElements(der: Buffer): Buffer[] {
  const elements: Buffer[] = []
  for (let start = 0; start < der.length; ) {
    const end = start + endOf(der.subarray(start)).whole
    elements.push(der.subarray(start, end))
    start = end
  }
  return elements
}

function contentOf(element: Buffer | undefined): Buffer {
  if (!element) throw new TypeError('it is no certificate')
  const { head, whole } = endOf(element)
  return element.subarray(head, whole)
}

/** Where the content of the first element begins, and where it ends. */
function endOf(der: Buffer): { head: number; whole: number } {
  const length = der[1] ?? 0
  const octets = length < 0x80 ? 0 : length & 0x7f
  const head = 2 + octets
  return { head, whole: head + (octets === 0 ? length : der.readUIntBE(2, octets)) }
}

function wrap(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const octets = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...octets]), content])
}
