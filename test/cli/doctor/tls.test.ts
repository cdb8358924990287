// What `lineage doctor --url` says of TLS, with real handshakes.

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { examineClearHttp } from '../../../src/cli/doctor/tls-findings.ts'
import { readFindings, survey } from '../../scenes/doctor-report.ts'
import { runCommand } from '../../support/command-line.ts'
import { PROXY_IP, startFaultyProxy } from '../../support/faulty-proxy.ts'
import { serverEnvironment, startLineage } from '../../support/lineage-process.ts'
import { openTestDatabase } from '../../support/postgres.ts'
import { makeCertificate } from '../../support/tls-front.ts'

/** A service behind a proxy that ends TLS with a certificate of two days, signed by itself. */
async function openScene(t: Test, oldTls = false) {
  const certificate = makeCertificate(t)
  const old = { minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const
  const proxy = await startFaultyProxy(t, { ...certificate, ...(oldTls && old) })
  const url = `https://localhost:${proxy.port}`
  const env = {
    ...serverEnvironment((await openTestDatabase(t)).url),
    LINEAGE_ISSUER: url,
    LINEAGE_TRUST_PROXY: PROXY_IP,
  }
  proxy.forwardTo((await startLineage(t, env)).port, {
    back: (headers) => {
      headers['strict-transport-security'] = 'max-age=31536000'
    },
  })
  const ca = join(t.testdir({}), 'ca.pem')
  writeFileSync(ca, certificate.cert)
  return {
    url,
    async examine(args: readonly string[], trusts = true) {
      const trusting = trusts ? { ...env, NODE_EXTRA_CA_CERTS: ca } : env
      const { stdout } = await runCommand(t, trusting, ['doctor', '--json', ...args])
      return survey(readFindings(stdout)).find
    },
  }
}

test('a certificate that nobody trusts, one that runs out, one that is right', async (t) => {
  const { url, examine } = await openScene(t)
  const untrusted = await examine(['--url', url], false)
  t.match(untrusted('certificate'), { status: 'fail', detail: /SELF_SIGNED/ })
  t.match(untrusted('authorization header'), { status: 'ok' }, 'the rest is looked at all the same')

  const short = await examine(['--url', url])
  t.match(short('certificate'), { status: 'warn', detail: /good for 1 days/ })
  const right = await examine(['--url', url, '--cert-days', '1'])
  t.match(right('certificate'), { status: 'ok', detail: /^TLSv1\.3, .* trusted$/ })
  t.match(right('tls versions'), { status: 'ok' })
  t.match(right('strict transport'), { status: 'ok', detail: '365 days' })
  t.match(right('told scheme and host'), { status: 'ok', detail: /^https:\/\/localhost/ })

  const { port } = new URL(url)
  const other = await examine(['--url', `https://127.0.0.1:${port}`])
  t.match(other('certificate'), { status: 'fail', detail: /ALTNAME/, advice: /the host of this/ })
})

test('a proxy that takes TLS 1.1', async (t) => {
  const { url, examine } = await openScene(t, true)
  t.match((await examine(['--url', url]))('tls versions'), { status: 'warn', detail: /TLSv1/ })
})

async function listen(t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('the same host in clear may refuse, or show the way to TLS, and nothing else', async (t) => {
  const redirect = (location: string) =>
    listen(t, (_request, response) => response.writeHead(301, { location }).end())
  const examine = async (url: string) => (await examineClearHttp(url, 'test')).status
  t.equal(await examine(await redirect('https://auth.example')), 'ok')
  t.equal(await examine(await redirect('http://auth.example')), 'warn')
  t.equal(await examine(await listen(t, (_, response) => response.writeHead(403).end())), 'ok')
  t.equal(await examine(await listen(t, (_, response) => response.end('{}'))), 'fail')
  t.equal(await examine('http://127.0.0.1:1'), 'ok')
})
