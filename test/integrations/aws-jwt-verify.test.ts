// aws-jwt-verify outside of AWS: its general JwtVerifier, which finds the JWKS under the issuer by
// itself and speaks HTTPS only, so a proxy that ends TLS stands before Lineage, as in production. It
// keeps a JWKS for good and asks again for an unknown kid; if in vain, it pauses for 10 s.

import { JwtVerifier } from 'aws-jwt-verify'
import { JwtBaseError } from 'aws-jwt-verify/error'
import { SimpleFetcher } from 'aws-jwt-verify/https'
import { SimpleJwksCache } from 'aws-jwt-verify/jwk'
import type { Test } from 'tap'
import { type Scene, type SceneOptions, startScene } from '../scenes/integration-scene.ts'
import { startTlsFront } from '../support/tls-front.ts'
import { runVerifierSuite } from './verifier-suite.ts'

const certificates = new Map<string, string>()

async function startSceneOverTls(t: Test, options: SceneOptions): Promise<Scene> {
  const front = await startTlsFront(t)
  certificates.set(front.url, front.certificate)
  const scene = await startScene(t, { ...options, issuer: front.url })
  front.forwardTo(scene.url)
  return scene
}

function readName(error: unknown): string {
  if (!(error instanceof JwtBaseError)) throw error
  return error.constructor.name
}

runVerifierSuite({
  name: 'aws-jwt-verify',
  algorithms: ['ES256', 'EdDSA', 'RS256'],
  startScene: startSceneOverTls,
  async open(_t, { issuer, audience }) {
    const ca = certificates.get(issuer)
    const fetcher = new SimpleFetcher({ defaultRequestOptions: { ca } })
    const jwksCache = new SimpleJwksCache({ fetcher })
    const verifier = JwtVerifier.create(
      {
        issuer,
        audience,
        // The library does not look at the type of a token (RFC 9068 §4), so its user does.
        customJwtCheck: ({ header }) => {
          if (header.typ !== 'at+jwt') throw new TypeError('the type is not at+jwt')
        },
      },
      { jwksCache },
    )
    return async (token) => ({ ...(await verifier.verify(token)) })
  },
  refusalOf: readName,
  refusals: {
    expired: 'JwtExpiredError',
    'for another audience': 'JwtInvalidAudienceError',
    'from another issuer': 'JwtInvalidIssuerError',
    'with changed claims': 'JwtInvalidSignatureError',
    'signed by another key': 'JwtInvalidSignatureError',
    'of an unknown kid': 'KidNotFoundInJwksError',
    'without a signature': 'JwtParseError',
    'with an HMAC under the public key': 'JwtInvalidSignatureAlgorithmError',
    'a refresh token': 'JwtParseError',
  },
  maxAgesSeconds: [0, 300],
})
