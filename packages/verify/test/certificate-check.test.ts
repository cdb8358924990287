// Tokens that are bound to a certificate, over real TLS (RFC 8705 §3), and with what a proxy tells.

import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import {
  LOCALHOST_CERTIFICATE,
  LOCALHOST_KEY,
} from '../../../test/support/localhost-certificate.ts'
import { createTlsFetch } from '../../client/src/tls-fetch.ts'
import { thumbprintOf } from '../src/certificate-check.ts'
import { presentRequest } from '../src/presented-request.ts'
import { createVerifier } from '../src/verifier.ts'
import { AUDIENCE, bearer, startIssuerScene } from './issuer-scene.ts'

const CERTIFICATE = { cert: LOCALHOST_CERTIFICATE, key: LOCALHOST_KEY }

test('a bound token passes over a connection with its certificate alone', async (t) => {
  const scene = await startIssuerScene(t)
  const key = await scene.makeKey('key')
  const thumbprint = thumbprintOf(LOCALHOST_CERTIFICATE) ?? ''
  const bound = await scene.sign(key, { cnf: { 'x5t#S256': thumbprint } })
  const foreign = await scene.sign(key, { cnf: { 'x5t#S256': `A${thumbprint.slice(1)}` } })
  const verifier = createVerifier({ issuer: scene.issuer, audience: AUDIENCE })
  const options = { ...CERTIFICATE, requestCert: true, rejectUnauthorized: false }
  const server = createServer(options, async (request, response) => {
    const result = await verifier.authorize(presentRequest(request))
    if (result.ok) response.writeHead(204).end()
    else response.writeHead(result.refusal.status).end(result.refusal.reason)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `https://localhost:${(server.address() as AddressInfo).port}/`
  const ca = LOCALHOST_CERTIFICATE
  const ask = async (token: string, fetch = createTlsFetch(() => ({ ...CERTIFICATE, ca }))) => {
    const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
    return `${answer.status} ${await answer.text()}`.trim()
  }
  t.equal(await ask(bound), '204')
  t.equal(await ask(foreign), '401 certificate_other')
  t.equal(await ask(bound, createTlsFetch({ ca })), '401 certificate_missing')
  t.equal(await ask(await scene.sign(key), createTlsFetch({ ca })), '204')
  t.match(await verifier.authorize(bearer(bound)), { refusal: { reason: 'certificate_missing' } })
  const certificate = LOCALHOST_CERTIFICATE
  t.match(await verifier.authorize(bearer(bound, { certificate })), { ok: true })
  t.match(await verifier.authorize(bearer(bound, { certificate: 'none' })), {
    refusal: { reason: 'certificate_other' },
  })
  t.strictSame(
    await createTlsFetch({ ca })('http://localhost/', {}).catch(({ code }) => code),
    'insecure_url',
  )
})
