// How a client presents itself in a request: Basic, post, or its id alone (RFC 6749 §2.3.1). Pure:
// says what was sent and in which way, never whether it is right. An empty secret is an absent one,
// in either place.

import type { AuthMethod } from '../clients/client.ts'
import { OAuthError } from '../oauth/oauth-error.ts'

/** The parts of a request that client authentication reads; an empty parameter is absent. */
export interface ClientRequestParts {
  readonly authorization: string | undefined
  readonly clientId: string | undefined
  readonly clientSecret: string | undefined
  readonly clientAssertion?: string | undefined
}

export interface ClientCredentials {
  readonly method: AuthMethod
  readonly clientId: string
  /** Undefined with the method `none` only. */
  readonly clientSecret: string | undefined
}

const AUTHORIZATION_LENGTH_MAX = 4096

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Throws OAuthError 400 `invalid_request` for two mechanisms or two client ids, and 401
 * `invalid_client` where there are no readable client credentials at all.
 */
export function parseClientCredentials(parts: ClientRequestParts): ClientCredentials {
  const { authorization, clientId, clientSecret, clientAssertion } = parts
  if (clientAssertion !== undefined) {
    // RFC 7521 §4.2: a mechanism too, though one that no client has here.
    const isAlone = authorization === undefined && clientSecret === undefined
    throw new OAuthError(isAlone ? 'client_scheme_unsupported' : 'client_two_mechanisms')
  }
  if (authorization !== undefined) {
    // RFC 9110 §11.1: the scheme is case-insensitive.
    if (!/^basic( |$)/i.test(authorization)) throw new OAuthError('client_scheme_unsupported')
    // RFC 6749 §2.3: one mechanism a request, whatever the two of them hold.
    if (clientSecret !== undefined) throw new OAuthError('client_two_mechanisms')
    const basic = parseBasic(authorization)
    if (clientId !== undefined && clientId !== basic.clientId) {
      throw new OAuthError('client_id_mismatch')
    }
    // An empty password is no secret: so do public clients of many libraries name themselves.
    if (basic.clientSecret === '') return { ...basic, method: 'none', clientSecret: undefined }
    return { method: 'client_secret_basic', ...basic }
  }
  if (clientId === undefined) throw new OAuthError('client_absent')
  const method = clientSecret === undefined ? 'none' : 'client_secret_post'
  return { method, clientId, clientSecret }
}

/** RFC 7617 §2 around two values that are form-encoded (RFC 6749 §2.3.1 and Appendix B). */
function parseBasic(authorization: string): { clientId: string; clientSecret: string } {
  try {
    if (authorization.length > AUTHORIZATION_LENGTH_MAX) throw new RangeError('too long')
    const pair = utf8.decode(decodeBase64(authorization.slice('basic'.length).trim()))
    const colon = pair.indexOf(':')
    if (colon < 1) throw new TypeError('no client id before a colon')
    return {
      clientId: decodeComponent(pair.slice(0, colon)),
      clientSecret: decodeComponent(pair.slice(colon + 1)),
    }
  } catch {
    // Without the cause, which could quote the secret.
    throw new OAuthError('client_header_malformed')
  }
}

/** Refuses what Buffer forgives: one value has one spelling (RFC 4648 §3.5). */
function decodeBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw new TypeError('not base64')
  return bytes
}

/** Throws URIError for a bad escape or bytes that are not UTF-8. */
function decodeComponent(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
