// The files with which Lineage ends TLS itself: what must be in them, and what is wrong with them
// otherwise. Whoever asks hands in how a file is read.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'

/** Where they are. */
export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
  /** Undefined: no certificate of a client is signed by anybody whom we trust. */
  readonly clientCaFile: string | undefined
}

/** What is in them, each of it PEM. */
export interface TlsMaterial {
  /** Our certificate, followed by those between it and its root. */
  readonly cert: string
  readonly key: string
  readonly clientCa: string | undefined
}

/** Gives a file's text or throws. */
export type ReadText = (path: string) => string

const BYTES_MAX = 1024 * 1024
const BEGIN = '-----BEGIN CERTIFICATE-----'

/** The setting that names each file. */
const TLS_SETTINGS = {
  cert: 'LINEAGE_TLS_CERT_FILE',
  key: 'LINEAGE_TLS_KEY_FILE',
  clientCa: 'LINEAGE_TLS_CLIENT_CA_FILE',
} as const

/** The files' text, or a sentence for each that cannot be read. */
export function readTlsFiles(
  { certFile, keyFile, clientCaFile }: TlsFiles,
  readText: ReadText,
): { readonly material: TlsMaterial } | { readonly problems: readonly string[] } {
  const problems: string[] = []
  const read = (setting: string, path: string): string => {
    try {
      const text = readText(path)
      if (text.length <= BYTES_MAX) return text
      problems.push(`${setting} names a file of more than 1 MiB.`)
    } catch {
      // Without path and cause: somebody may have set the key itself in place of the path.
      problems.push(`${setting} names a file that cannot be read.`)
    }
    return ''
  }
  const material = {
    cert: read(TLS_SETTINGS.cert, certFile),
    key: read(TLS_SETTINGS.key, keyFile),
    clientCa: clientCaFile === undefined ? undefined : read(TLS_SETTINGS.clientCa, clientCaFile),
  }
  return problems.length > 0 ? { problems } : { material }
}

/** Why TLS cannot be spoken with it: one sentence for each file, or none at all. */
export function findTlsProblems({ cert, key, clientCa }: TlsMaterial): string[] {
  const certificates = parseCertificates(cert)
  const privateKey = parseKey(key)
  const problems: string[] = []
  if (!certificates) problems.push(`${TLS_SETTINGS.cert} names a file without certificates in PEM.`)
  if (!privateKey) {
    problems.push(`${TLS_SETTINGS.key} names a file without a private key in PEM, not encrypted.`)
  }
  if (clientCa !== undefined && !parseCertificates(clientCa)) {
    problems.push(`${TLS_SETTINGS.clientCa} names a file without certificates in PEM.`)
  }
  if (certificates && privateKey && !certificates[0]?.checkPrivateKey(privateKey)) {
    problems.push(
      `${TLS_SETTINGS.key} is not the key of the first certificate of ${TLS_SETTINGS.cert}.`,
    )
  }
  if (problems.length === 0 && !canServe({ cert, key, clientCa })) {
    problems.push(`${TLS_SETTINGS.cert} or its key is too weak for TLS.`)
  }
  return problems
}

/** Undefined unless there is one, and each that begins is one. */
function parseCertificates(pem: string): X509Certificate[] | undefined {
  const [, ...blocks] = pem.split(BEGIN)
  try {
    const found = blocks.map((block) => new X509Certificate(BEGIN + block))
    return found.length > 0 ? found : undefined
  } catch {
    return undefined
  }
}

function parseKey(pem: string) {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

function canServe({ cert, key, clientCa: ca }: TlsMaterial): boolean {
  try {
    createSecureContext({ cert, key, ca })
    return true
  } catch {
    return false
  }
}
