// The settings of TLS and of clients' certificates: their rows of the table, and what they mean
// together.

import type { CertificateHeader } from '../certificates/certificate-header.ts'
import { findTlsProblems, type ReadText, readTlsFiles, type TlsFiles } from '../tls/tls-files.ts'
import { BadValue, parsePath } from './config-values.ts'
import { parseIssuer } from './issuer-url.ts'
import { optional, row, type Setting } from './setting.ts'

export const TLS_ROWS = {
  LINEAGE_TLS_CERT_FILE: optional(
    parsePath,
    'PEM file of our certificate and those above it; with its key, all ports speak TLS.',
  ),
  LINEAGE_TLS_KEY_FILE: optional(
    parsePath,
    'PEM file of the private key; unset: plain HTTP, for a proxy in front.',
  ),
  LINEAGE_TLS_CLIENT_CA_FILE: optional(
    parsePath,
    "PEM file of the CAs whose certificates prove clients; unset: nobody's do.",
  ),
  LINEAGE_CLIENT_CERT_HEADER: row(
    'rfc9440',
    parseCertificateHeader,
    "How trusted proxies pass on a client's certificate: `rfc9440`, `pem:NAME` for a header with URL-encoded PEM, or `off`.",
  ),
  LINEAGE_MTLS_ORIGIN: optional(
    parseMtlsOrigin,
    'Origin where certificates are asked for, as `mtls_endpoint_aliases` of the metadata; unset: none.',
  ),
} as const satisfies Record<string, Setting<unknown>>

type Values = {
  readonly [Name in keyof typeof TLS_ROWS]?: (typeof TLS_ROWS)[Name] extends Setting<infer T>
    ? T
    : never
}

/** Undefined where Lineage speaks plain HTTP. */
export function toTlsFiles(values: Values): TlsFiles | undefined {
  const {
    LINEAGE_TLS_CERT_FILE: certFile,
    LINEAGE_TLS_KEY_FILE: keyFile,
    LINEAGE_TLS_CLIENT_CA_FILE: clientCaFile,
  } = values
  return certFile === undefined || keyFile === undefined
    ? undefined
    : { certFile, keyFile, clientCaFile }
}

const FILES = [
  'LINEAGE_TLS_CERT_FILE',
  'LINEAGE_TLS_KEY_FILE',
  'LINEAGE_TLS_CLIENT_CA_FILE',
] as const

/**
 * What is missing, what contradicts, and what is wrong with the files. `given` names the settings
 * that are there, also those with a problem of their own.
 */
export function findTlsFaults(
  values: Values & { readonly LINEAGE_ISSUER?: string | undefined },
  given: ReadonlySet<string>,
  isEmbedded: boolean,
  readText: ReadText,
): string[] {
  if (!FILES.some((name) => given.has(name))) return []
  const [certFile, keyFile] = FILES
  const missing = [certFile, keyFile].filter((name) => !given.has(name))
  if (missing.length > 0) return missing.map((name) => `${name} is missing.`)
  if (isEmbedded) return [`${certFile} is set: embedded mode speaks plain HTTP.`]
  const faults = values.LINEAGE_ISSUER?.startsWith('http:')
    ? [`${certFile} is set: the issuer must then begin with https.`]
    : []
  const files = toTlsFiles(values)
  if (!files) return faults
  const read = readTlsFiles(files, readText)
  return [...faults, ...('problems' in read ? read.problems : findTlsProblems(read.material))]
}

const HEADER_NAME = /^[A-Za-z][A-Za-z0-9-]{0,63}$/

function parseCertificateHeader(text: string): CertificateHeader | 'off' {
  if (text === 'off') return 'off'
  if (text === 'rfc9440') return { name: 'client-cert', form: 'rfc9440' }
  const name = text.startsWith('pem:') ? text.slice('pem:'.length) : ''
  if (HEADER_NAME.test(name)) return { name: name.toLowerCase(), form: 'pem' }
  throw new BadValue('must be rfc9440, off, or pem: and the name of a header')
}

function parseMtlsOrigin(text: string): string {
  const origin = parseIssuer(text)
  if (new URL(origin).origin === origin) return origin
  throw new BadValue('must be an origin without a path, such as https://mtls.example.com')
}
