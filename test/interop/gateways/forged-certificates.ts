// Nobody speaks for a certificate by writing a header: it is no secret, and what proves it is a
// handshake, which no gateway of the examples makes.

import type { Test } from 'tap'
import { type Scene, startScene } from '../../scenes/gateway-scene.ts'
import { makeAuthority } from '../../support/certificates.ts'
import { until } from '../../support/until.ts'
import { ask, bearerSubject, checkRefusal, METHODS, RFC_6750, type Subject } from './checks.ts'
import type { Gateway } from './gateway-process.ts'
import { bearer, type Headers } from './raw-request.ts'
import type { Received } from './recorded-server.ts'
import { makeTokens } from './tokens.ts'

/** Also as CGI, and all that came of it, would read them. */
const NAMES = ['Client-Cert', 'Client-Cert-Chain'].flatMap((name) => [
  name,
  name.toLowerCase(),
  name.toUpperCase(),
  name.replaceAll('-', '_'),
  name.replace('-', '_'),
  name.replace(/-(?=[^-]*$)/, '_'),
])

/** Neither Lineage nor the upstream gets any of it, in whatever spelling. */
export async function checkForgedCertificates(t: Test, subject: Subject): Promise<void> {
  const { path, present, tokens, scene } = subject
  const lies: Headers = NAMES.map((name) => [name, ':AAAA:'])
  const before = scene.passage.received.length
  for (const method of METHODS) {
    const shown = present(tokens.user.access_token)
    const headers = [...lies, ...shown, ...lies]
    const { answer, arrived } = await ask(subject, { method, path: `${path}1`, headers })
    t.equal(answer.status, 200, method)
    t.strictSame(certificatesIn(arrived), [], `${method}: the upstream`)
  }
  const asked = scene.passage.received.slice(before)
  t.strictSame(asked.flatMap(certificatesIn), [], 'Lineage')
}

function certificatesIn(received: Received | undefined): Headers {
  return (received?.headers ?? []).filter(([name]) => /^client[^a-z0-9]cert/.test(name))
}

/**
 * A token that is bound to a certificate passes for nobody who only knows the certificate, where
 * Lineage trusts the gateway. `start` starts it before whatever `addresses` name.
 */
export async function checkStolenBoundToken(
  t: Test,
  start: (t: Test, scene: Scene) => Promise<Gateway>,
): Promise<void> {
  const scene = await startScene(t, { LINEAGE_TRUST_PROXY: 'loopback' })
  const subject = bearerSubject(await start(t, scene), scene, await makeTokens(t, scene))
  const { lineage, addresses } = scene
  const client = await lineage.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['notes:read'],
    defaultScopes: ['notes:read'],
    audiences: [addresses.issuer],
    tlsClientCertificateBoundAccessTokens: true,
  })
  const { header } = makeAuthority('Client CA').issue({ subject: [['CN', 'payments']] })
  const proof = { 'client-cert': header }
  // The owner's own request, as a proxy that has made the handshake passes it on.
  const form = {
    grant_type: 'client_credentials',
    client_id: client.id,
    client_secret: client.secret,
  }
  const granted = await lineage.form('/token', form, proof)
  t.equal(granted.status, 200)
  const { access_token: token } = (await granted.json()) as { access_token: string }
  const target = `/verify?audience=${addresses.issuer}`
  const direct = { headers: { authorization: `Bearer ${token}`, ...proof } }
  t.equal((await lineage.fetch(target, direct)).status, 200, 'a trusted proxy is believed')

  for (const forged of [[], [['Client-Cert', header]], [['client-cert', header]]] as Headers[]) {
    const headers = [...bearer(token), ...forged]
    const asked = await ask(subject, { path: '/notes/1', headers })
    checkRefusal(t, asked, 401, RFC_6750.invalidToken)
  }
  const reasons = await until('the log', () => {
    const lines = lineage.log('request.refused')
    return lines.length >= 3 && lines.slice(-3).map(({ reason }) => reason)
  })
  t.strictSame(reasons, Array(3).fill('certificate_absent'))
}
