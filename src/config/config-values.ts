// Parsers of single settings: text in, value out, or a BadValue that says what is asked for. None
// of them repeats what it was given, because it may be a secret in the wrong place.

import { isIP, isIPv4 } from 'node:net'
import { isClientSlug } from '../clients/client-id.ts'
import { openPasswordPeppers, type PasswordPeppers } from '../secrets/password-pepper.ts'
import { openRootSecrets, type RootSecrets } from '../secrets/root-secret.ts'

/** What is wrong with one value, as the rest of a sentence that begins with the name. */
export class BadValue extends Error {
  override name = 'BadValue'
}

/** Throws BadValue. */
export type Parser<T> = (text: string) => T

/** A whole number in plain decimal digits, both bounds included. */
export function integer(min: number, max: number): Parser<number> {
  return (text) => {
    const value = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new BadValue(`must be a whole number from ${min} to ${max}`)
  }
}

/** As `integer`, or the one word. */
export function integerOr<const Word extends string>(
  word: Word,
  min: number,
  max: number,
): Parser<number | Word> {
  const parseInteger = integer(min, max)
  return (text) => {
    if (text === word) return word
    try {
      return parseInteger(text)
    } catch {
      throw new BadValue(`must be a whole number from ${min} to ${max}, or ${word}`)
    }
  }
}

export function oneOf<const T extends string>(...allowed: readonly T[]): Parser<T> {
  return (text) => {
    const found = allowed.find((value) => value === text)
    if (found !== undefined) return found
    throw new BadValue(`must be one of ${allowed.join(', ')}`)
  }
}

export function matching(pattern: RegExp, wanted: string): Parser<string> {
  return (text) => {
    if (pattern.test(text)) return text
    throw new BadValue(`must be ${wanted}`)
  }
}

/** Of a file or a folder. */
export const parsePath = matching(/^.{1,4096}$/, 'a path')

const PATHS_MAX = 64

/** A comma list. */
export function parsePaths(text: string): readonly string[] {
  const paths = text.split(',')
  if (paths.length > PATHS_MAX) throw new BadValue(`must list ${PATHS_MAX} paths at most`)
  if (paths.some((path) => path === '')) throw new BadValue('must be a path, or a comma list')
  return paths.map(parsePath)
}

/** An address to listen on, without brackets. */
export function parseHost(text: string): string {
  if (isIP(text) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/.test(text)) return text
  throw new BadValue('must be an IP address or a host name')
}

/** Whether only this machine can reach the host; an IPv6 address may have its brackets. */
export function isLoopbackHost(host: string): boolean {
  const plain = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  return plain === 'localhost' || plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'))
}

/** An id of the form that an administrator may choose for a client. */
export function parseClientSlug(text: string): string {
  if (isClientSlug(text)) return text
  throw new BadValue(
    'must be 2 to 63 lower-case letters, digits and hyphens, begin with a letter, and be no UUID',
  )
}

/** A comma list of root secrets, each 32 bytes or more in base64url without padding. */
export function parseRootSecrets(text: string): RootSecrets {
  return parseSecrets(text, openRootSecrets)
}

/** As `parseRootSecrets`. */
export function parsePasswordPeppers(text: string): PasswordPeppers {
  return parseSecrets(text, openPasswordPeppers)
}

const SECRETS_MAX = 16

/** `open` throws where two of them have the same id. */
function parseSecrets<T>(text: string, open: (secrets: readonly Buffer[]) => T): T {
  const parts = text.split(',')
  const secrets = parts.map((part) => Buffer.from(part, 'base64url'))
  const isStrict = secrets.every((bytes, index) => bytes.toString('base64url') === parts[index])
  if (!isStrict || secrets.some((bytes) => bytes.length < 32)) {
    throw new BadValue('must be 32 or more bytes in base64url without padding, or a comma list')
  }
  if (secrets.length > SECRETS_MAX) {
    throw new BadValue(`must list ${SECRETS_MAX} secrets at most`)
  }
  try {
    return open(secrets)
  } catch {
    throw new BadValue('lists two secrets with the same one-byte id; make one of them anew')
  }
}

/** A URL that node-postgres accepts, with correct percent-encoding. */
export function parseDatabaseUrl(text: string): string {
  const isUrl = /^postgres(ql)?:\/\/\S+$/.test(text) && URL.canParse(text) && !text.includes('#')
  if (!isUrl || !isPercentEncoded(text)) {
    throw new BadValue('must be a URL that begins with postgres:// or postgresql://')
  }
  if (!canBeSchema(new URL(text).searchParams.get('schema') ?? '')) {
    throw new BadValue('has a schema that none can be called, or that stands for another ($user)')
  }
  return text
}

/** Narrower than PostgreSQL: Prisma does not escape a quotation mark. */
function canBeSchema(name: string): boolean {
  const isTaken = name === '$user' || name.startsWith('pg_')
  return !isTaken && Buffer.byteLength(name) <= 63 && !/["\p{Cc}]/u.test(name)
}

/**
 * Whether every escape of the text decodes to UTF-8, and what has to be escaped is: a parser of URLs drops
 * line breaks and tabs, so others would read another password.
 */
export function isPercentEncoded(text: string): boolean {
  if (/[\s\p{Cc}]/u.test(text)) return false
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
