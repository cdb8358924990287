// What is said at the start of proxies that are trusted for addresses and so, where nobody has said
// otherwise, for certificates.

import { type Test, test } from 'tap'
import { type Environment, serverEnvironment, startLineage } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'

const CERTIFICATE_CLIENTS = {
  tls_client_auth: {
    authMethods: ['tls_client_auth'],
    tlsClientAuth: { sanDns: 'payments.example.test' },
  },
  'bound tokens': { tlsClientCertificateBoundAccessTokens: true },
}

/** Starts one, and ends it when it has started. */
async function noticesOf(t: Test, env: Environment): Promise<string[]> {
  const lineage = await startLineage(t, env)
  await lineage.logged('service.started')
  lineage.signal('SIGTERM')
  await lineage.exited
  const notices = lineage.log('service.notice').map(({ notice }) => String(notice))
  return notices.filter((notice) => notice.includes('Client-Cert'))
}

for (const [name, fields] of Object.entries(CERTIFICATE_CLIENTS)) {
  test(`a start warns of trusted proxies where clients have certificates: ${name}`, async (t) => {
    const env = serverEnvironment((await openTestDatabase(t)).url)
    const trusting = { ...env, LINEAGE_TRUST_PROXY: 'loopback' }
    const first = await startLineage(t, trusting)
    t.notMatch(first.stdout.join('\n'), /Client-Cert/, 'nobody has one')
    const type = 'confidential'
    await first.makeClient({ type, grantTypes: ['client_credentials'], ...fields })
    first.signal('SIGTERM')
    await first.exited
    t.strictSame(await noticesOf(t, trusting), [
      'every trusted proxy must remove or set Client-Cert, as LINEAGE_CLIENT_CERT_HEADER is not stated; ' +
        'clients with certificates: 1',
    ])
    t.strictSame(await noticesOf(t, env), [], 'no proxy is trusted')
    for (const said of ['rfc9440', 'pem:SSL-Client-Cert', 'off']) {
      const stated = { ...trusting, LINEAGE_CLIENT_CERT_HEADER: said }
      t.strictSame(await noticesOf(t, stated), [], said)
    }
  })
}
