// `lineage top` where there is no terminal, at real services and at servers that are something else.

import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Test, test } from 'tap'
import type { TopFigures } from '../../../src/cli/top/top-document.ts'
import { findFreePort } from '../../../src/embedded/free-port.ts'
import { metricsText } from '../../scenes/metrics-scene.ts'
import { runHere } from '../../support/command-line.ts'
import { SWITCHING, startRawServer, writeForEver } from '../../support/raw-server.ts'

const TEXT = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }

async function listen(t: Test, answer: RequestListener): Promise<number> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Every look finds so many refreshes more. */
async function listenAsService(t: Test): Promise<{ port: number; paths: string[] }> {
  const paths: string[] = []
  const port = await listen(t, ({ url = '' }, response) => {
    paths.push(url)
    response.writeHead(200, TEXT).end(metricsText(paths.length * 100))
  })
  return { port, paths }
}

const look = (env: Record<string, string>, ...args: string[]) =>
  runHere(env, ['top', '--interval', '1', ...args])

test('it looks twice at the port of the environment, and prints rates', async (t) => {
  const { port, paths } = await listenAsService(t)
  const { code, stdout, stderr } = await look({ PORT: String(port) })
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  t.strictSame(paths, ['/metrics', '/metrics'])
  t.match(
    stdout,
    new RegExp(`^lineage 1\\.2\\.3 {2}http://127\\.0\\.0\\.1:${port}/metrics {2}over 1`),
  )
  t.match(stdout, /^refreshes +rotated [\d.]+\/s +replayed [\d.]+\/s .*false logouts 10 %$/m)
  t.notMatch(stdout, '\u001b')
})

test('LINEAGE_OPS_PORT goes before PORT, and no other setting is asked for', async (t) => {
  const { port, paths } = await listenAsService(t)
  const env = { LINEAGE_OPS_PORT: String(port), HOST: '0.0.0.0', DATABASE_URL: 'nonsense' }
  t.match(await look(env, '--once'), { code: 0 })
  t.equal(paths.length, 2)
})

test('--json gives the figures as one document; --url goes before the environment', async (t) => {
  const { port } = await listenAsService(t)
  const env = { PORT: '1' }
  const { code, stdout } = await look(env, '--json', '--url', `http://127.0.0.1:${port}`)
  t.equal(code, 0)
  const figures = JSON.parse(stdout) as TopFigures
  t.equal(figures.falseLogoutRate?.toFixed(3), '0.100')
  t.match(figures, { version: '1.2.3', dependencies: [{}, { isUp: false }] })
  t.ok((figures.requests.perSecond ?? 0) > 0)
})

test('where nothing listens it says what to set', async (t) => {
  const port = await findFreePort()
  const result = await look({ PORT: String(port) })
  t.match(result, {
    code: 1,
    stdout: '',
    stderr: /^lineage: nothing to read at .*ECONNREFUSED; start/,
  })
  const document = await look({ PORT: String(port) }, '--json')
  t.match(JSON.parse(document.stdout), { error: /ECONNREFUSED/ })
})

const WRONG: Record<string, [answer: RequestListener, said: RegExp]> = {
  'a service that hides them': [
    (_request, response) => response.writeHead(404).end(),
    /\(404\): with LINEAGE_OPS_PORT metrics are on that port/,
  ],
  'a proxy': [(_request, response) => response.writeHead(502).end(), /answers with status 502$/],
  'a redirect, which is not followed': [
    (_request, response) => response.writeHead(302, { location: '/metrics' }).end(),
    /answers with status 302$/,
  ],
  'a page': [
    (_request, response) => response.setHeader('content-type', 'text/html').end('<html>'),
    /is no metrics of Lineage$/,
  ],
  'another exporter': [
    (_request, response) => response.writeHead(200, TEXT).end('node_load1 0.5\n'),
    /is no metrics of Lineage$/,
  ],
  'half an answer': [
    (_request, response) => response.writeHead(200, TEXT).end('lineage_build_info{version="1'),
    /cannot be read: line 1 is no sample$/,
  ],
  'a connection that is cut': [({ socket }) => socket.destroy(), /ECONNRESET|socket hang up/],
  'a cut in the middle of the answer': [
    (_request, response) => {
      response.writeHead(200, { ...TEXT, 'content-length': '1000' })
      response.write('lineage_build_info 1\n', () => response.socket?.destroy())
    },
    /nothing to read at .*(ECONNRESET|aborted)/,
  ],
}

for (const [what, [answer, said]] of Object.entries(WRONG)) {
  test(`${what} is told apart, with exit code 1`, async (t) => {
    const port = await listen(t, answer)
    const { code, stdout, stderr } = await look({ PORT: String(port) })
    t.strictSame({ code, stdout }, { code: 1, stdout: '' })
    t.match(stderr.trimEnd(), said)
    t.equal(stderr.trimEnd().split('\n').length, 1)
  })
}

test('what never ends, turns to another protocol or says nothing is given up', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n'
  const answers = [
    ...[writeForEver(head + 'x'.repeat(100_000)), SWITCHING, 'HTTP/1.1 200 OK\r\nx: y'],
    ...['nonsense\r\n\r\n', writeForEver('HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n')],
  ]
  await Promise.all(
    answers.map(async (answer) => {
      const server = await startRawServer(t)
      server.answerWith(answer)
      const url = server.url.replace('localhost', '127.0.0.1')
      const result = await runHere({}, ['top', '--once', '--url', url])
      t.match(result, { code: 1, stdout: '', stderr: /^lineage: nothing to read at / })
    }),
  )
})

test('http where https is meant, and the other way round, are told', async (t) => {
  const { port } = await listenAsService(t)
  t.match(await look({}, '--url', `https://127.0.0.1:${port}`), { code: 1, stderr: /is it http:/ })
  const tls = await startRawServer(t, { isTls: true })
  t.match(await look({}, '--url', tls.url.replace('https', 'http')), { code: 1 })
})

test('a certificate that nobody vouches for counts at a named URL alone', async (t) => {
  const server = await startRawServer(t, { isTls: true })
  const body = metricsText(10)
  const head = `content-type: text/plain\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`
  server.answerWith(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${body}`)
  const { port } = new URL(server.url)
  t.match(await look({}, '--url', server.url), { code: 1, stderr: /CERT.* NODE_EXTRA_CA_CERTS/ })
  t.match(await look({ PORT: port, LINEAGE_TLS_CERT_FILE: '/of/the/outside.pem' }), { code: 0 })
})

test('wrong options are wrong usage, and repeat no secret', async (t) => {
  const bad = [
    ...[
      ['--url', 'ftp://x'],
      ['--url', 'metrics'],
      ['--url', 'http://a:hunter2@b'],
    ],
    ...[['--interval', '0'], ['--interval', '61'], ['--interval', '1.5'], ['more']],
  ]
  for (const args of bad) {
    const { code, stderr } = await runHere({}, ['top', ...args])
    t.equal(code, 2, args.join(' '))
    t.notMatch(stderr, 'hunter2')
  }
  t.match(await look({ PORT: 'many' }), {
    code: 1,
    stderr: /^lineage: PORT must be a whole number/,
  })
})
