// Verifies Lineage's access tokens offline, as RFC 9068 §4 asks, and refuses as RFC 6750 §3 asks.
// It knows no framework: the examples for Fastify and for Express have the same file.

import { createRemoteJWKSet, errors, jwtVerify } from 'jose'

/** Every algorithm that Lineage can sign with. Never `none`, never one with a shared key. */
const ALGORITHMS = ['ES256', 'EdDSA', 'RS256', 'PS256']
/** The max-age of Lineage's JWKS: for this long at most a compromised key is still believed. */
const RELOAD_MS = 300_000
/** A key that we do not know is new or made up: asking for it costs one fetch in this time. */
const COOLDOWN_MS = 5_000
/** What jose says when the keys, and not the token, are at fault. */
const NO_KEYS = ['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID']

/** `issuer` must be the very string of the tokens, `audience` is this API's own name in them. */
export function openVerifier({ issuer, audience }) {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`), {
    cacheMaxAge: Number.POSITIVE_INFINITY,
    cooldownDuration: COOLDOWN_MS,
  })
  // Beside the requests, so that none waits; while Lineage is away the last copy goes on.
  setInterval(() => keys.reload().catch(() => {}), RELOAD_MS).unref()
  const expected = {
    typ: 'at+jwt',
    issuer,
    audience,
    algorithms: ALGORITHMS,
    requiredClaims: ['exp', 'iat', 'sub', 'client_id', 'jti'],
  }

  /**
   * `{ claims }` when the Authorization header brings a good token with the scope, else
   * `{ refusal: { status, headers, error } }`.
   */
  return async function authorize(header = '', scope) {
    const credentials = /^bearer(?: +(.*))?$/i.exec(header)
    // Who brought no token is told of no error (RFC 6750 §3.1).
    if (!credentials) return refuse(401, 'unauthorized', 'Bearer')
    try {
      const { payload: claims } = await jwtVerify(credentials[1] ?? '', keys, expected)
      if ((claims.scope ?? '').split(' ').includes(scope)) return { claims }
    } catch (error) {
      if (isFaultOfToken(error)) {
        return refuse(401, 'invalid_token', 'Bearer error="invalid_token"')
      }
      // Nobody knows whether the token is good, so nobody says that it is not.
      return { refusal: { status: 503, headers: { 'retry-after': '5' }, error: 'no_keys' } }
    }
    const challenge = `Bearer error="insufficient_scope", scope="${scope}"`
    return refuse(403, 'insufficient_scope', challenge)
  }
}

function isFaultOfToken(error) {
  return error instanceof errors.JOSEError && !NO_KEYS.includes(error.code)
}

function refuse(status, error, challenge) {
  return { refusal: { status, headers: { 'www-authenticate': challenge }, error } }
}
