// C2, for which a service has to be reached over TLS: Lineage behind a proxy, and behind one that
// forgot to close the other door. The certificate is trusted as an operator's own would be.

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { startTlsFront, type TlsFront } from '../../../test/support/tls-front.ts'
import { type ConformanceReport, runConformance } from '../src/run-checks.ts'
import { type LineageScene, startLineageScene } from './lineage-scene.ts'
import { runBin } from './run-command.ts'

/** The command in a process of its own: only a fresh one can be told to trust a certificate. */
async function conform(
  t: Test,
  { issuer, credentials }: LineageScene,
  { certificate }: TlsFront,
  code: number,
): Promise<ConformanceReport> {
  const file = join(t.testdir({}), 'trusted.pem')
  writeFileSync(file, certificate)
  const env = { NODE_EXTRA_CA_CERTS: file }
  const args = [issuer, '--credentials', '-', '--only', 'C1,C2,C10,C76,C77', '--json']
  const result = await runBin(t, args, { env, input: JSON.stringify(credentials) })
  t.equal(result.code, code, result.stderr)
  return JSON.parse(result.stdout) as ConformanceReport
}

/** A port that speaks TLS by way of the front, and plain HTTP to whoever does that. */
async function openBothDoors(t: Test, secure: string, plain: () => string): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (first) => {
      const isTls = first[0] === 0x16
      const onward = connect(Number(new URL(isTls ? secure : plain()).port), '127.0.0.1')
      onward.on('error', () => socket.destroy())
      onward.write(first)
      socket.pipe(onward).pipe(socket)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `https://localhost:${(server.address() as AddressInfo).port}`
}

test('behind TLS alone C2 passes, and so does what else depends on the URL', async (t) => {
  const front = await startTlsFront(t)
  const scene = await startLineageScene(t, { front: front.url })
  front.forwardTo(scene.url)
  const { summary } = await conform(t, scene, front, 0)
  t.strictSame(summary, { passed: 5, failed: 0, skipped: 0 })
})

test('C2 fails where the token endpoint answers plain HTTP, too', async (t) => {
  const front = await startTlsFront(t)
  let plain = ''
  const both = await openBothDoors(t, front.url, () => plain)
  const scene = await startLineageScene(t, { front: both })
  plain = scene.url
  front.forwardTo(scene.url)
  const { rows, summary } = await conform(t, scene, front, 1)
  t.strictSame(summary, { passed: 4, failed: 1, skipped: 0 })
  const reason = 'plain HTTP is served: 401 invalid_client'
  t.match(rows[1], { row: 'C2', status: 'FAIL', reason })
})

test('C2 fails where the metadata names an endpoint without TLS that is not on this machine', async (t) => {
  const server = createHttpServer((_request, response) => {
    const token_endpoint = `${issuer}/token`
    const introspection_endpoint = 'http://auth.example.test/introspect'
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ issuer, token_endpoint, introspection_endpoint }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { rows } = await runConformance({ issuer, credentials: {}, only: ['C2'] })
  t.match(rows, [{ status: 'FAIL', reason: 'introspection_endpoint is not https' }])
})
