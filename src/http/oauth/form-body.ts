// application/x-www-form-urlencoded, read strictly: what two parsers could read in two ways is
// refused (docs/semantics.md §15). Knows nothing of what the parameters mean.

import { isAscii } from 'node:buffer'
import { OAuthError } from '../../oauth/oauth-error.ts'
import type { Parameters } from '../../oauth/parameters.ts'
import { RESOURCES_MAX } from '../../oauth/resource.ts'

export const FORM_BODY_BYTES_MAX = 16 * 1024
const PAIRS_MAX = 64

const FORBIDDEN_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])
/** The one parameter that RFC 8707 §2 lets repeat. */
const REPEATABLE = 'resource'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The parameters of a form; an empty value counts as absent (RFC 6749 §3.2). Throws OAuthError
 * `invalid_request` for anything that is not one clean form.
 */
export function parseFormBody(bytes: Buffer): Parameters {
  const values = new Map<string, string>()
  const resources: string[] = []
  const text = decodeText(bytes)
  const isEncoded = text.includes('%') || text.includes('+')
  const decode = isEncoded ? decodeComponent : (plain: string) => plain
  const pairs = text.split('&').filter((pair) => pair !== '')
  if (pairs.length > PAIRS_MAX) throw new OAuthError('parameter_too_many')
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const name = decode(equals < 0 ? pair : pair.slice(0, equals))
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1))
    if (FORBIDDEN_NAMES.has(name)) throw new OAuthError('parameter_name_forbidden')
    if (name === REPEATABLE) {
      if (value !== '') resources.push(value)
      continue
    }
    // RFC 6749 §3.2: parameters must not be included more than once.
    if (values.has(name)) throw new OAuthError('parameter_duplicate')
    values.set(name, value)
  }
  if (resources.length > RESOURCES_MAX) throw new OAuthError('parameter_duplicate')
  return { get: (name) => values.get(name) || undefined, resources }
}

/** One form component (RFC 6749 Appendix B); throws `invalid_request`. */
function decodeComponent(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw new OAuthError('body_malformed')
  }
}

function decodeText(bytes: Buffer): string {
  // Most forms are ASCII, and read faster as such.
  if (isAscii(bytes)) return bytes.toString('latin1')
  try {
    return utf8.decode(bytes)
  } catch {
    throw new OAuthError('body_malformed')
  }
}
