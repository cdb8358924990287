// Credentials from a JSON document, such as the demo.json of embedded mode: what is known is checked,
// what is not is left alone. No message repeats a value.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { JWK } from 'jose'
import type {
  AssertionClient,
  CertificateClient,
  CertifiedKey,
  ConfidentialClient,
  Credentials,
  ExpiringClient,
  TestedClient,
  TestedUser,
} from './credentials.ts'

type Members = Readonly<Record<string, unknown>>

/** Throws TypeError that says which member is wrong. */
export function parseCredentials(text: string): Credentials {
  const document = asObject(parseJson(text), 'the document')
  const read = <T>(name: string, parse: (members: Members, path: string) => T) =>
    document[name] === undefined ? undefined : parse(asObject(document[name], name), name)
  return compact({
    confidentialClient: read('confidentialClient', parseConfidential),
    otherClient: read('otherClient', parseConfidential),
    publicClient: read('publicClient', parseClient),
    specialClient: read('specialClient', parseConfidential),
    expiringClient: read('expiringClient', parseExpiring),
    rs256Client: read('rs256Client', parseConfidential),
    assertionClient: read('assertionClient', parseAssertion),
    certificateClient: read('certificateClient', parseCertificateClient),
    boundClient: read('boundClient', parseClient),
    user: read('user', parseUser),
    disabledUser: read('disabledUser', parseUser),
    mfaUser: read('mfaUser', parseUser),
    scope: optionalText(document, 'scope', ''),
    wideScope: optionalText(document, 'wideScope', ''),
    resource: optionalText(document, 'resource', ''),
  })
}

function parseClient(members: Members, path: string): TestedClient {
  return compact({
    id: requiredText(members, 'id', path),
    secret: optionalText(members, 'secret', path),
    authMethod: parseAuthMethod(members.authMethod, path),
  })
}

function parseAuthMethod(method: unknown, path: string): TestedClient['authMethod'] {
  if (method === undefined) return undefined
  if (method === 'client_secret_basic' || method === 'client_secret_post') return method
  throw new TypeError(`${path}.authMethod must be client_secret_basic or client_secret_post`)
}

function parseConfidential(members: Members, path: string): ConfidentialClient {
  return compact({
    ...parseClient(members, path),
    secret: requiredText(members, 'secret', path),
    secondSecret: optionalText(members, 'secondSecret', path),
  })
}

function parseExpiring(members: Members, path: string): ExpiringClient {
  const [idleSeconds, absoluteSeconds] = ['idleSeconds', 'absoluteSeconds'].map((name) => {
    const value = members[name]
    if (typeof value === 'number' && value > 0) return value
    throw new TypeError(`${path}.${name} must be a number over 0`)
  })
  return {
    ...parseClient(members, path),
    idleSeconds: idleSeconds ?? 0,
    absoluteSeconds: absoluteSeconds ?? 0,
  }
}

function parseAssertion(members: Members, path: string): AssertionClient {
  const privateJwk: JWK = { ...asObject(members.privateJwk, `${path}.privateJwk`) }
  if (typeof privateJwk.kty !== 'string' || typeof privateJwk.d !== 'string') {
    throw new TypeError(`${path}.privateJwk must be a private JWK`)
  }
  return {
    id: requiredText(members, 'id', path),
    alg: requiredText(members, 'alg', path),
    privateJwk,
  }
}

function parseCertificateClient(members: Members, path: string): CertificateClient {
  const { other } = members
  return compact({
    id: requiredText(members, 'id', path),
    ...parseCertified(members, path),
    other:
      other === undefined
        ? undefined
        : parseCertified(asObject(other, `${path}.other`), `${path}.other`),
    serverCa: optionalText(members, 'serverCa', path),
  })
}

function parseCertified(members: Members, path: string): CertifiedKey {
  const certificate = requiredText(members, 'certificate', path)
  const key = requiredText(members, 'key', path)
  if (!isPair(certificate, key)) {
    throw new TypeError(`${path} must have a certificate and its private key, both as PEM`)
  }
  return { certificate, key }
}

function isPair(certificate: string, key: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}

function parseUser(members: Members, path: string): TestedUser {
  return {
    username: requiredText(members, 'username', path),
    password: requiredText(members, 'password', path),
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Its own message quotes what it read.
    throw new TypeError('the document is not JSON')
  }
}

function asObject(value: unknown, path: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${path} must be an object`)
  }
  return { ...value }
}

function requiredText(members: Members, name: string, path: string): string {
  const value = optionalText(members, name, path)
  if (value === undefined) throw new TypeError(`${path}.${name} is missing`)
  return value
}

function optionalText(members: Members, name: string, path: string): string | undefined {
  const value = members[name]
  if (value === undefined) return undefined
  if (typeof value === 'string' && value !== '') return value
  throw new TypeError(`${path === '' ? name : `${path}.${name}`} must be a text that is not empty`)
}

type Compact<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K]
} & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> }

/** Without the members that are undefined. */
function compact<T extends object>(members: T): Compact<T> {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Compact<T>
}
