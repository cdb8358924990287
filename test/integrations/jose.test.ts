// jose as a resource server uses it: createRemoteJWKSet with its own cache (10 minutes, an unknown
// kid asks again once in 30 s at most) and jwtVerify with everything that RFC 9068 §4 asks for.

import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import { runVerifierSuite } from './verifier-suite.ts'

function readCode(error: unknown): string {
  if (!(error instanceof errors.JOSEError)) throw error
  return error instanceof errors.JWTClaimValidationFailed
    ? `${error.code} ${error.claim}`
    : error.code
}

runVerifierSuite({
  name: 'jose',
  algorithms: ['ES256', 'EdDSA', 'RS256', 'PS256', 'Ed25519'],
  async open(_t, { issuer, audience, jwksUri, algorithm }) {
    const keys = createRemoteJWKSet(new URL(jwksUri))
    const rules = { issuer, audience, typ: 'at+jwt', algorithms: [algorithm] }
    return async (token) => ({ ...(await jwtVerify(token, keys, rules)).payload })
  },
  refusalOf: readCode,
  refusals: {
    expired: 'ERR_JWT_EXPIRED',
    'for another audience': 'ERR_JWT_CLAIM_VALIDATION_FAILED aud',
    'from another issuer': 'ERR_JWT_CLAIM_VALIDATION_FAILED iss',
    'with changed claims': 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    'signed by another key': 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    'of an unknown kid': 'ERR_JWKS_NO_MATCHING_KEY',
    'without a signature': 'ERR_JOSE_ALG_NOT_ALLOWED',
    'with an HMAC under the public key': 'ERR_JOSE_ALG_NOT_ALLOWED',
    'a refresh token': 'ERR_JWS_INVALID',
  },
  maxAgesSeconds: [0, 300],
})
