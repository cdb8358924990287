// nginx with deploy/nginx/mtls.conf in front of Lineage, over real TLS: a certificate proves its client and
// binds its tokens, and no header of a caller does.

import { decodeJwt } from 'jose'
import { test } from 'tap'
import { CERTIFICATE_CLIENT, PAYMENTS } from '../scenes/certificate-attacks.ts'
import { callerWith } from '../scenes/tls-scene.ts'
import type { Send } from '../support/app.ts'
import { makeAuthority, makeSelfSigned } from '../support/certificates.ts'
import { serverEnvironment, startLineage } from '../support/lineage-process.ts'
import { startNginx } from '../support/nginx.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

test('nginx verifies and passes on, and nobody speaks for it', async (t) => {
  const ca = makeAuthority('Client CA')
  const lineage = await startLineage(t, {
    ...serverEnvironment((await openTestDatabase(t)).url),
    LINEAGE_TRUST_PROXY: 'loopback',
    LINEAGE_CLIENT_CERT_HEADER: 'pem:SSL-Client-Cert',
  })
  const isBound = { tlsClientCertificateBoundAccessTokens: true }
  await lineage.makeClient({ ...CERTIFICATE_CLIENT, ...isBound })
  const { url } = await startNginx(t, {
    configuration: 'mtls.conf',
    replace: { '127.0.0.1:3000': `127.0.0.1:${lineage.port}` },
    files: { 'client-ca.crt': ca.cert },
  })
  const ask = async (send: Send, headers: Record<string, string> = {}) => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'payments' })
    const answer = await send(`${url}/token`, { method: 'POST', body, headers })
    return { status: answer.status, text: await answer.text() }
  }

  const mine = ca.issue({ subject: PAYMENTS })
  const { status, text } = await ask(callerWith(mine))
  t.equal(status, 200, text)
  const { access_token: token } = JSON.parse(text) as { access_token: string }
  t.strictSame(decodeJwt(token).cnf, { 'x5t#S256': mine.thumbprint })

  const escaped = encodeURIComponent(mine.cert)
  const forged = { 'ssl-client-cert': escaped, 'client-cert': mine.header }
  t.equal((await ask(callerWith())).status, 401, 'no certificate')
  t.equal((await ask(callerWith(), forged)).status, 401, 'a header in its place')
  const other = ca.issue({ subject: [['CN', 'other']] })
  t.equal((await ask(callerWith(other), forged)).status, 401, 'a header beside another')
  t.equal((await ask(callerWith(mine), forged)).status, 200)
  for (const stranger of [
    makeSelfSigned({ subject: PAYMENTS }),
    makeAuthority().issue({ subject: PAYMENTS }),
  ]) {
    t.equal((await ask(callerWith(stranger), forged)).status, 400, 'nginx refuses it itself')
  }
  const refusals = await until('the log', () => {
    const lines = lineage.log('client.authentication_failed')
    return lines.length === 3 && lines
  })
  t.strictSame(
    refusals.map(({ reason }) => reason),
    ['client_certificate_missing', 'client_certificate_missing', 'client_certificate_name_wrong'],
  )
})
