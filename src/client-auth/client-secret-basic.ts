// client_secret_basic: id and secret in the Authorization header, each form-encoded before
// (RFC 6749 §2.3.1).

import { OAuthError } from '../oauth/oauth-error.ts'
import type { AuthenticationMethod, ClientForm, PresentedClient } from './authentication-method.ts'
import { checkClientSecret } from './check-client-secret.ts'

export const clientSecretBasic: AuthenticationMethod = {
  method: 'client_secret_basic',
  proof: 'secret',
  scheme: 'basic',
  read,
  authenticate: checkClientSecret,
}

const AUTHORIZATION_LENGTH_MAX = 4096

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** RFC 7617 §2 around two values that are form-encoded (RFC 6749 §2.3.1 and Appendix B). */
function read({ headers: { authorization = '' } }: ClientForm): PresentedClient {
  try {
    if (authorization.length > AUTHORIZATION_LENGTH_MAX) throw new RangeError('too long')
    // Blanks alone: trim() would cut off U+00A0, which is a byte of the header, too.
    const [, token = '', ...rest] = authorization.split(' ').filter((word) => word !== '')
    if (rest.length > 0) throw new TypeError('more than one word behind the scheme')
    const pair = utf8.decode(decodeBase64(token))
    const colon = pair.indexOf(':')
    if (colon < 1) throw new TypeError('no client id before a colon')
    return {
      clientId: decodeComponent(pair.slice(0, colon)),
      proof: decodeComponent(pair.slice(colon + 1)),
    }
  } catch {
    // Without the cause, whose message could contain the secret.
    throw new OAuthError('client_header_malformed')
  }
}

/** Refuses base64 that Buffer accepts but that is not canonical (RFC 4648 §3.5). */
function decodeBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw new TypeError('not base64')
  return bytes
}

/** Throws URIError for a bad escape or bytes that are not UTF-8. */
function decodeComponent(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
