// Certificates of clients: the header in which a proxy passes one on, the names in it, and those that an
// administrator writes down.

import { X509Certificate } from 'node:crypto'
import { readCertificateNames } from '../../../src/certificates/certificate-names.ts'
import { readCertificateValue } from '../../../src/certificates/certificate-value.ts'
import { openCertificate } from '../../../src/certificates/client-certificate.ts'
import { parseDistinguishedName } from '../../../src/certificates/distinguished-name.ts'
import { type FuzzTarget, headerOf, holds, isSame, textOf } from '../fuzz-target.ts'

/** Of `CN=payments,O=Example\, Ltd,C=DE`, with two addresses and a name of each other kind; self-signed. */
const CERTIFICATE =
  'MIICIzCCAcmgAwIBAgIUcCJKqkGIKWd9UaFujderQMQq48EwCgYIKoZIzj0EAwIwNzELMAkGA1UEBhMCREUxFTATBgNVBAoM' +
  'DEV4YW1wbGUsIEx0ZDERMA8GA1UEAwwIcGF5bWVudHMwIBcNMjYxMjAxMDI1NjA1WhgPMjEyNjExMDcwMjU2MDVaMDcxCzAJ' +
  'BgNVBAYTAkRFMRUwEwYDVQQKDAxFeGFtcGxlLCBMdGQxETAPBgNVBAMMCHBheW1lbnRzMFkwEwYHKoZIzj0CAQYIKoZIzj0D' +
  'AQcDQgAEUePsJG0b+nVAKcZXqa3panAR5IZ2zqu9WaiaDzeN8hYwnNS+UWTt9MZzrM6NDirLqyJD0tXXfChei/oEq7QI6qOB' +
  'sDCBrTAdBgNVHQ4EFgQU2/a7xDoVZ4VrFG1lO/QZ6LaBXAgwHwYDVR0jBBgwFoAU2/a7xDoVZ4VrFG1lO/QZ6LaBXAgwDwYD' +
  'VR0TAQH/BAUwAwEB/zBaBgNVHREEUzBRgg5hLmV4YW1wbGUudGVzdIYXc3BpZmZlOi8vZXhhbXBsZS50ZXN0L2GHBMAAAgGH' +
  'ECABDbgAAAAAAAAAAAAAAAGBDmFAZXhhbXBsZS50ZXN0MAoGCCqGSM49BAMCA0gAMEUCIQCSCTlsUSj7ksSrVDnBPr1TuujG' +
  'YRrnK3tVyETE7kHHjQIgYeAJqB+zQURnfTy90hmsyFRmBGZer6G18mQr45zCTW0='
const DER = Buffer.from(CERTIFICATE, 'base64')

function toPem(base64: string): string {
  const body = base64.match(/.{1,64}/g)?.join('\n') ?? ''
  return `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`
}

const header: FuzzTarget = {
  name: 'client-cert',
  covers: [
    'src/certificates/certificate-value.ts readCertificateValue',
    'src/certificates/client-certificate.ts openCertificate',
  ],
  encoding: 'latin1',
  seeds: [
    `:${CERTIFICATE}:`,
    encodeURIComponent(toPem(CERTIFICATE)),
    encodeURIComponent(toPem(CERTIFICATE).trimEnd()),
    `:${CERTIFICATE}:, :AA==:`,
    ':AA==:',
    ':A===:',
    ':AB==:',
  ],
  tokens: [
    ':',
    '=',
    '==',
    ';',
    ',',
    '%0A',
    '%0D%0A',
    '%2B',
    '+',
    '/',
    '-----BEGIN%20CERTIFICATE-----%0A',
    '%',
    '%ff',
  ],
  lengthMax: 4_096,
  check(input) {
    const value = headerOf(input)
    let taken = false
    for (const form of ['rfc9440', 'pem'] as const) {
      const der = readCertificateValue(value, form)
      if (!der) continue
      taken = true
      const base64 = der.toString('base64')
      // RFC 8941 §3.3.5; RFC 7468 §3, with line breaks anywhere.
      const written = form === 'rfc9440' ? `:${base64}:` : base64
      const said =
        form === 'rfc9440'
          ? value
          : decodeURIComponent(value).replaceAll(/-----[A-Z ]+-----|\n/g, '')
      isSame(said, written, 'a value that was written again')
      const opened = openCertificate(der)
      if (!opened) continue
      const x509 = new X509Certificate(der)
      holds(x509.raw.equals(der) && opened.raw.equals(der), 'the bytes of the certificate')
      const fingerprint = Buffer.from(x509.fingerprint256.replaceAll(':', ''), 'hex')
      isSame(opened.thumbprint, fingerprint.toString('base64url'), 'the thumbprint')
      holds(!(opened.notBeforeMs > opened.notAfterMs) || x509.validFrom > '', 'moments')
    }
    return taken
  },
}

const names: FuzzTarget = {
  name: 'certificate-names',
  covers: [
    'src/certificates/certificate-names.ts readCertificateNames',
    'src/certificates/der-reader.ts readValues',
    'src/certificates/der-reader.ts readWithin',
    'src/certificates/der-reader.ts readOid',
    'src/certificates/distinguished-name.ts readDistinguishedName',
  ],
  seeds: [DER],
  tokens: [
    '\x30\x82',
    '\x31\x0b',
    '\x06\x03\x55\x04\x03',
    '\x06\x03\x55\x1d\x11',
    '\x0c',
    '\x13',
    '\x1e',
    '\x87\x04',
    '\x87\x10',
    '\x82',
    '\x86',
    '\x81',
    '\xa3',
    '\x04',
    '\x80',
    '\x00',
  ],
  encoding: 'latin1',
  check(input) {
    const read = readCertificateNames(input)
    const theirs = openCertificate(input)
    if (!read || !theirs) return read !== undefined
    const x509 = new X509Certificate(input)
    const said = (x509.subjectAltName ?? '').split(', ').filter(Boolean)
    // What Node quotes is not compared: it holds marks of its own.
    if (said.some((name) => /["\\]/.test(name) || !/^(DNS|URI|IP Address|email):/.test(name)))
      return true
    const ofKind = (kind: string) =>
      said.filter((name) => name.startsWith(`${kind}:`)).map((name) => name.slice(kind.length + 1))
    isSame(read.dns, ofKind('DNS'), 'the host names')
    isSame(read.uris, ofKind('URI'), 'the URIs')
    isSame(read.emails, ofKind('email'), 'the addresses of mail')
    isSame(read.ips.length, ofKind('IP Address').length, 'the addresses')
    return true
  },
}

const distinguished: FuzzTarget = {
  name: 'distinguished-name',
  covers: ['src/certificates/distinguished-name.ts parseDistinguishedName'],
  within: ['src/certificates/attribute-types.ts'],
  seeds: [
    'CN=payments,O=Example\\, Ltd,C=DE',
    'UID=jsmith+OU=\\C4\\8D,DC=example',
    '1.3.6.1.4.1.1466.0=#04024869',
    'CN=\\20a\\20,O=#0c0161',
    'cn=\u00e9,2.5.4.3=\u{1f600}',
    'CN=\ue123',
  ],
  tokens: [
    '\\',
    '\\2c',
    '\\,',
    '+',
    ',',
    '=',
    '#',
    '#0c00',
    'CN=',
    '2.5.4.3=',
    '"',
    '<',
    '>',
    ';',
    ' ',
    '\\20',
    '\\ff',
    '\0',
    '\u00e9',
    '\ue001',
    '\u{1f600}',
  ],
  check(input) {
    const text = textOf(input)
    const name = parseDistinguishedName(text)
    if (name === undefined) return false
    holds(isWellFormed(text), 'a name without half of a character')
    // RFC 4514 §3: what is left without the escapes has none of the marks that need one.
    const plain = text.replaceAll(/\\(?:[ "#+,;<=>\\]|[\da-f]{2})/gi, '')
    holds(!/["\\;<>\0]/.test(plain), 'marks stand behind a backslash')
    const rdns = JSON.parse(name) as string[][]
    // Written as RFC 4514 §2.4 has it, each byte of a value escaped.
    const written = rdns
      .map((rdn) => rdn.map(writeAttribute).join('+'))
      .reverse()
      .join(',')
    // Three characters for a byte can be too long.
    if (written.length > 2_048) return true
    isSame(parseDistinguishedName(written), name, 'a name that was written again')
    return true
  },
}

function isWellFormed(text: string): boolean {
  return Buffer.from(text).toString() === text
}

function writeAttribute(attribute: string): string {
  const [, type = '', mark = '', value = ''] = /^([\d.]+)([=#])(.*)$/s.exec(attribute) ?? []
  if (mark === '#') {
    const [tag = '', content = ''] = value.split('.')
    const bytes = Buffer.from(content, 'hex')
    return `${type}=#${Buffer.concat([Buffer.from([Number(tag)]), writeLength(bytes.length), bytes]).toString('hex')}`
  }
  return `${type}=${value === '' ? '#0c00' : Buffer.from(value).toString('hex').replaceAll(/../g, '\\$&')}`
}

function writeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  return length < 0x100
    ? Buffer.from([0x81, length])
    : Buffer.from([0x82, length >> 8, length & 0xff])
}

export const CERTIFICATE_TARGETS: readonly FuzzTarget[] = [header, names, distinguished]
