// A proxy that ends TLS in front of a plain server, with a certificate made for the test.

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'

export interface TlsFront {
  readonly url: string
  /** Signed by itself: who trusts it trusts this server. */
  readonly certificate: string
  /** Named after the front has a URL, because a Lineage is told its issuer before it listens. */
  forwardTo(url: string): void
}

/** With a certificate of its own, unless it is given one. */
export async function startTlsFront(
  t: Test,
  { key, cert } = makeCertificate(t),
): Promise<TlsFront> {
  let target = ''
  const server = createServer({ key, cert }, (incoming, outgoing) => {
    const { method, headers, url: path = '/' } = incoming
    const onward = httpRequest(new URL(path, target), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    certificate: cert,
    forwardTo(url) {
      target = url
    },
  }
}

/** For the name `localhost`, signed by itself. */
export function makeCertificate(t: Test): { key: string; cert: string } {
  const dir = t.testdir({})
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const args = ['req', '-x509', ...kind, ...names, '-keyout', key, '-out', cert]
  const { status, stderr, error } = spawnSync('openssl', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl, which this test needs: ${stderr || error?.message}`)
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}
