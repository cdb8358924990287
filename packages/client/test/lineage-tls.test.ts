// The token source beside a Lineage that ends TLS itself: a certificate in place of a secret, and tokens
// that are bound to it (RFC 8705).

import { test } from 'tap'
import { makeTlsFolder, SERVER_CA, startTlsApp } from '../../../test/scenes/tls-scene.ts'
import { makeAuthority } from '../../../test/support/certificates.ts'
import { createVerifier } from '../../verify/src/verifier.ts'
import { createTlsFetch } from '../src/tls-fetch.ts'
import { createTokenClient, type TokenClientOptions } from '../src/token-client.ts'

const CA = makeAuthority('Client CA')
const ISSUER = 'https://auth.example.test'
const AUDIENCE = 'https://notes.example.test'

test('a certificate is the proof, and what the token is bound to', async (t) => {
  const app = await startTlsApp(t, makeTlsFolder(t, [CA]))
  const { id: clientId } = await app.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    authMethods: ['tls_client_auth'],
    audiences: [AUDIENCE],
    tlsClientAuth: { sanDns: 'payments.example.test' },
    tlsClientCertificateBoundAccessTokens: true,
  })
  const names = { dns: ['payments.example.test'] }
  const certified = CA.issue({ subject: [['CN', 'payments']], names })
  const other = CA.issue({ subject: [['CN', 'payments']], names: { dns: ['other.example.test'] } })
  const options = (given: { cert: string; key: string } | undefined): TokenClientOptions => ({
    tokenEndpoint: `${app.url}/token`,
    clientId,
    auth: { method: 'tls_client_auth' },
    fetch: createTlsFetch({
      ca: SERVER_CA.cert,
      ...(given ? { cert: given.cert, key: given.key } : {}),
    }),
  })
  const { accessToken, tokenType } = await createTokenClient(options(certified)).clientCredentials()
  t.equal(tokenType, 'Bearer')
  for (const wrong of [other, undefined]) {
    const refused = createTokenClient(options(wrong)).clientCredentials()
    await t.rejects(refused, { name: 'OAuthResponseError', error: 'invalid_client', status: 401 })
  }

  const verifier = createVerifier({
    issuer: ISSUER,
    jwksUri: `${app.url}/.well-known/jwks.json`,
    audience: AUDIENCE,
    fetch: createTlsFetch({ ca: SERVER_CA.cert }),
  })
  const authorize = (certificate: string | undefined) =>
    verifier.authorize({
      method: 'GET',
      url: `${AUDIENCE}/`,
      authorization: `Bearer ${accessToken}`,
      dpop: undefined,
      certificate,
    })
  t.match(await authorize(certified.cert), { ok: true, claims: { sub: clientId } })
  t.match(await authorize(other.cert), { refusal: { reason: 'certificate_other' } })
  t.match(await authorize(undefined), { refusal: { reason: 'certificate_missing' } })
})
