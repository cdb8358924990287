// Scope as a list of words.

import { OAuthError } from './oauth-error.ts'

/** RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ). */
export const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** The words of a scope parameter, doubles gone. Throws `invalid_scope` for a bad character. */
export function parseScope(text: string): string[] {
  const words = text.split(' ').filter((word) => word !== '')
  if (words.length === 0 || !words.every((word) => SCOPE_TOKEN.test(word))) {
    throw new OAuthError('scope_malformed')
  }
  return [...new Set(words)]
}

/** `chosen` in the order of `order`: the same grant always reads the same. */
export function inOrder(chosen: readonly string[], order: readonly string[]): string[] {
  return order.filter((word) => chosen.includes(word))
}
