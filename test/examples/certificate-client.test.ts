// The client of examples/ with a certificate, beside a Lineage that ends TLS itself: its token is good with
// the certificate, and for nobody else.

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { callerWith, makeTlsFolder, SERVER_CA } from '../scenes/tls-scene.ts'
import { type Certified, makeAuthority } from '../support/certificates.ts'
import { serverEnvironment, startLineage } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { EXAMPLES } from './example-process.ts'

const run = promisify(execFile)
const CA = makeAuthority('Client CA')

test('examples/certificate-client gets a token with its certificate, by which it is bound', async (t) => {
  const folder = makeTlsFolder(t, [CA])
  const [{ url }, port] = await Promise.all([openTestDatabase(t), findFreePort()])
  const issuer = `https://localhost:${port}`
  const { certFile, keyFile, clientCaFile } = folder.files
  const env = {
    ...serverEnvironment(url),
    PORT: String(port),
    LINEAGE_ISSUER: issuer,
    LINEAGE_TLS_CERT_FILE: certFile,
    LINEAGE_TLS_KEY_FILE: keyFile,
    LINEAGE_TLS_CLIENT_CA_FILE: clientCaFile,
    // The same host by its other name.
    LINEAGE_MTLS_ORIGIN: `https://127.0.0.1:${port}`,
  }
  const service = await startLineage(t, env, { send: callerWith() })
  const { id } = await service.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    authMethods: ['tls_client_auth'],
    tlsClientAuth: { sanDns: 'payments.example.test' },
    tlsClientCertificateBoundAccessTokens: true,
  })
  const dir = dirname(certFile)
  const file = (name: string, text: string) => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }
  const runExample = async ({ cert, key }: Certified) => {
    const script = join(EXAMPLES, 'certificate-client/client.mjs')
    // tap would load itself into every Node child.
    const { stdout } = await run('env', ['-u', 'NODE_OPTIONS', process.execPath, script], {
      env: {
        PATH: process.env.PATH,
        ISSUER: issuer,
        CLIENT_ID: id,
        CERT_FILE: file('client.crt', cert),
        KEY_FILE: file('client.key', key),
        CA_FILE: file('server-ca.crt', SERVER_CA.cert),
      },
    })
    return JSON.parse(stdout) as unknown
  }
  const issue = (name: string) => CA.issue({ subject: [['CN', 'x']], names: { dns: [name] } })
  const seen = { type: 'bearer', proven: 200, stolen: 401 }
  t.strictSame(await runExample(issue('payments.example.test')), seen)
  t.strictSame(await runExample(issue('payments.example.test')), seen, 'renewed, with another key')
  await t.rejects(runExample(issue('other.example.test')), { message: /status: 401/ })
})
