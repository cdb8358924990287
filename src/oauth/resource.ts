// The `resource` parameter (RFC 8707 §2).

import { OAuthError } from './oauth-error.ts'

/** The most that one request may name (docs/semantics.md §15). */
export const RESOURCES_MAX = 8

// URL.canParse forgives white space and more, so the characters are checked first (RFC 3986 §2);
// `#` is not among them because a resource has no fragment.
const URI = /^[a-z][a-z0-9+.-]*:[\x21\x24-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+$/i

/** Checks that each is an absolute URI without fragment; doubles go. Throws `invalid_target`. */
export function parseResources(values: readonly string[]): string[] {
  if (!values.every((value) => URI.test(value) && URL.canParse(value))) {
    throw new OAuthError('resource_malformed')
  }
  return [...new Set(values)]
}
