// `lineage doctor --url` with a real proxy between: what is right is said to be, and each thing that a
// proxy does wrong is named by its own check.

import { type Test, test } from 'tap'
import { type AddressOptions, examineAddress } from '../../../src/cli/doctor/address-findings.ts'
import { loadConfig, type ServerConfig } from '../../../src/config/service-config.ts'
import { CERTIFICATE_CLIENT } from '../../scenes/certificate-attacks.ts'
import { readFindings, survey } from '../../scenes/doctor-report.ts'
import { runHere } from '../../support/command-line.ts'
import { type Faults, PROXY_IP, startFaultyProxy } from '../../support/faulty-proxy.ts'
import { serverEnvironment, startLineage } from '../../support/lineage-process.ts'
import { openTestDatabase } from '../../support/postgres.ts'

/** A service behind a proxy, and the doctor in front of both. */
async function openScene(t: Test, settings: Record<string, string> = {}, path = '') {
  const proxy = await startFaultyProxy(t)
  const url = `http://127.0.0.1:${proxy.port}${path}`
  const env = {
    ...serverEnvironment((await openTestDatabase(t)).url),
    LINEAGE_ISSUER: url,
    LINEAGE_TRUST_PROXY: PROXY_IP,
    ...settings,
  }
  const service = await startLineage(t, env)
  return {
    service,
    /** All of it. Twice in a minute the service writes one event for both, which then names neither. */
    async doctor(faults?: Faults) {
      proxy.forwardTo(service.port, faults)
      const { stdout } = await runHere(env, ['doctor', '--url', url, '--json'])
      // Those of the address come last.
      return survey(readFindings(stdout, 'address'))
    },
    /** Without what the service has seen. */
    async examine(faults?: Faults) {
      proxy.forwardTo(service.port, faults)
      const config = loadConfig(env) as ServerConfig
      const clock = Date.now
      const options: AddressOptions = { url, config, database: undefined, clock, certDays: 21 }
      return survey(await examineAddress(options))
    },
  }
}

type Headers = Record<string, unknown>
const drop = (name: string) => (headers: Headers) => void delete headers[name]
const set = (name: string, value: string) => (headers: Headers) => {
  headers[name] = value
}
/** What a caller has said stays as it was. */
const passOn = (name: string) => (headers: Headers, came: Headers) => {
  if (came[name] !== undefined) headers[name] = came[name]
}

/** The proxy of a test comes from a loopback address, for which `/metrics` is meant. */
const PUBLIC = 'fail operations paths'
const OPERATIONS = /^\/(metrics|admin|readyz|livez)\b/

test('a proxy that does everything right leaves nothing to say but what is public', async (t) => {
  const scene = await openScene(t)
  const { findings, bad, find } = await scene.doctor()
  t.strictSame(bad, [PUBLIC], JSON.stringify(findings, null, 1))
  t.match(find('operations paths')?.detail, /: \/metrics, \/admin, \/readyz, \/livez$/)
  t.match(find('caller address')?.detail, 'the service sees 127.0.0.1, whatever the caller says')
  t.match(find('told scheme and host')?.detail, /^http:\/\/127/)
  t.match(find('dpop headers')?.detail, /DPoP-Nonce comes back/)
  t.equal(scene.service.log('throttle.exhausted').length, 0)
})

const FAULTS: Record<string, [faults: Faults, bad: string[]]> = {
  'merges slashes': [
    { rewrite: (path) => path.replaceAll(/\/{2,}/g, '/') },
    ['warn path spelling'],
  ],
  'decodes escapes': [
    { rewrite: (path) => decodeURIComponent(path) },
    ['warn path spelling', 'warn told scheme and host'],
  ],
  'drops queries': [
    { rewrite: (path) => path.split('?', 1)[0] ?? '' },
    ['warn queries', 'warn cookies'],
  ],
  'lacks a place of the metadata': [
    {
      answers: ({ url }, response) => {
        const isIt = url === '/.well-known/oauth-authorization-server'
        if (isIt) response.writeHead(404).end()
        return isIt
      },
    },
    ['fail metadata places'],
  ],
  'drops Authorization': [
    { onward: drop('authorization') },
    ['fail authorization header', 'fail dpop headers'],
  ],
  'authenticates by itself': [
    {
      onward: (headers) =>
        void Object.assign(headers, { authorization: 'Bearer its-own', ...headers }),
    },
    ['fail authorization header'],
  ],
  'drops WWW-Authenticate': [
    { back: drop('www-authenticate') },
    ['fail authorization header', 'fail dpop headers'],
  ],
  'drops DPoP': [{ onward: drop('dpop') }, ['fail dpop headers']],
  'drops DPoP-Nonce': [{ back: drop('dpop-nonce') }, ['fail dpop headers']],
  'drops cookies': [{ onward: drop('cookie') }, ['warn cookies']],
  'drops request ids': [{ back: drop('x-request-id') }, ['warn request ids']],
  'drops traces': [{ onward: drop('traceparent') }, ['warn request ids']],
  'shows pages of its own for errors': [
    {
      back: (headers, path) =>
        void (path === '/users/me' && set('content-type', 'text/html')(headers)),
    },
    ['warn error answers', 'warn large headers'],
  ],
  'takes small headers alone': [
    {
      answers: ({ headers }, response) => {
        const isLarge = (headers.authorization ?? '').length > 4_000
        if (isLarge) response.writeHead(431).end()
        return isLarge
      },
    },
    ['warn large headers'],
  ],
  'takes small bodies alone': [
    {
      answers: ({ headers }, response) => {
        const isLarge = Number(headers['content-length']) > 8_000
        if (isLarge) response.writeHead(413).end()
        return isLarge
      },
    },
    ['warn bodies'],
  ],
  'lets a caller tell of another request': [
    { onward: (headers, came) => void Object.assign(headers, came) },
    ['warn told target'],
  ],
  'keeps longer than it may': [
    { back: set('cache-control', 'public, max-age=86400') },
    ['warn cache of the jwks', 'warn cache of the metadata', 'fail cache of tokens'],
  ],
  'gives old copies': [
    { back: set('age', '4000') },
    ['warn cache of the jwks', 'warn cache of the metadata'],
  ],
  'drops ETag': [{ back: drop('etag') }, ['warn cache of the jwks']],
  'drops If-None-Match': [{ onward: drop('if-none-match') }, ['warn cache of the jwks']],
  'packs what has tokens': [{ back: set('content-encoding', 'identity') }, ['warn compression']],
  'answers preflights itself': [
    {
      answers: ({ method }, response) => {
        const isIt = method === 'OPTIONS'
        if (isIt) response.writeHead(200).end()
        return isIt
      },
    },
    ['warn methods'],
  ],
  'adds CORS headers to ours': [
    { back: set('access-control-allow-origin', '*, *') },
    ['warn methods'],
  ],
  'ends every connection': [{ back: set('connection', 'close') }, ['warn kept connections']],
  'has a wrong clock': [
    { back: set('date', new Date(Date.now() - 3_600_000).toUTCString()) },
    ['fail clock of the address'],
  ],
  'hides metrics alone': [
    {
      answers: ({ url }, response) => {
        const isIt = url === '/metrics'
        if (isIt) response.writeHead(404).end()
        return isIt
      },
    },
    ['warn operations paths'],
  ],
}

test('each fault of a proxy is named, and nothing else', async (t) => {
  const scene = await openScene(t)
  for (const [what, [faults, expected]] of Object.entries(FAULTS)) {
    const { bad, findings } = await scene.examine(faults)
    const found = bad.filter((one) => one !== PUBLIC).toSorted()
    t.strictSame(found, expected.toSorted(), `a proxy that ${what}: ${JSON.stringify(findings)}`)
  }
})

test('a proxy that leads to nothing that is for operators', async (t) => {
  const { bad, find } = await (await openScene(t)).examine({
    answers: ({ url = '' }, response) => {
      const isIt = OPERATIONS.test(url)
      if (isIt) response.writeHead(404).end()
      return isIt
    },
  })
  t.strictSame(bad, [])
  t.match(find('operations paths'), { status: 'ok' })
})

test('a proxy that keeps every answer', async (t) => {
  const { bad } = await (await openScene(t)).examine({ caches: true })
  t.ok(bad.includes('fail cache of tokens'), bad.join())
})

test('an issuer with a path is looked for below it and at the root', async (t) => {
  const scene = await openScene(t, { LINEAGE_DPOP_NONCE: 'all' }, '/auth')
  const right = await scene.examine()
  t.strictSame(right.bad, [PUBLIC], JSON.stringify(right.findings, null, 1))
  t.match(right.find('metadata places')?.detail, /^4 documents/)
  const stripped = await scene.examine({ rewrite: (path) => path.replace('/auth', '') })
  t.strictSame(stripped.bad, ['fail address'])
})

test('a made-up address of a caller that is believed, and a proxy that is not named', async (t) => {
  const believing = await openScene(t)
  const spoofed = await believing.doctor({
    onward: passOn('x-forwarded-for'),
  })
  t.match(spoofed.find('caller address'), { status: 'fail', detail: /made-up X-Forwarded-For/ })
  // A minute may end between two of them, not between all three.
  const again = [await believing.doctor(), await believing.doctor(), await believing.doctor()]
  const merged = again.map(({ find }) => find('caller address'))
  t.ok(merged.some((one) => /ask again in a minute/.test(one?.detail ?? '')))
  t.match(merged[0], { status: 'ok' })

  const unnamed = await openScene(t, { LINEAGE_TRUST_PROXY: '192.0.2.1' })
  const seen = await unnamed.doctor()
  t.match(seen.find('caller address'), { status: 'warn', detail: /sees 127\.0\.0\.2/ })
  t.match(seen.find('told scheme and host'), { status: 'ok', detail: /^not told/ })
})

test('a certificate that a caller writes into a header', async (t) => {
  const scene = await openScene(t)
  await scene.service.makeClient(CERTIFICATE_CLIENT)
  const believed = await scene.doctor({ onward: passOn('client-cert') })
  t.match(believed.find('certificate header'), { status: 'fail', detail: /unreadable/ })
  t.match(believed.find('caller address'), { status: 'ok' })
})

test('nobody there, and a redirect, are all there is to say', async (t) => {
  const scene = await openScene(t)
  const redirected = await scene.examine({
    answers: (_request, response) => {
      response.writeHead(301, { location: 'https://elsewhere.example' }).end()
      return true
    },
  })
  t.match(redirected.bad, ['fail address'])
  t.match(redirected.find('address')?.detail, /status 301/)
  const cut = await scene.examine({ answers: ({ socket }) => Boolean(socket.destroy()) })
  t.match(cut.bad, ['fail address'])
  t.match(cut.find('address')?.detail, /ECONNRESET/)
  const turned = await scene.examine({
    answers: ({ socket }) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
  })
  t.match(turned.bad, ['fail address'])
  t.match(turned.find('address')?.detail, /closed without an answer/)
})
