// Over TLS, as in production: Chromium takes the `__Host-` cookies, gives them to no script and sends
// them within the site alone. The certificate is made for the test, and the browser told to take it.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request as httpRequest, type RequestListener } from 'node:http'
import { createServer } from 'node:https'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { type Test, test } from 'tap'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { servePages, startChromium } from '../scenes/browser-scene.ts'
import { serverEnvironment, startLineage } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const BLANK: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>app</title>')
}

interface Answer {
  readonly status: number
  readonly body: Record<string, string>
}

/** POSTs a form with credentials from a page's own scripts. */
function post(page: Page, url: string, form: Record<string, string>): Promise<Answer> {
  return page.evaluate(
    async ({ url, form }) => {
      const body = new URLSearchParams(form)
      const answer = await fetch(url, { method: 'POST', credentials: 'include', body })
      const text = await answer.text()
      return { status: answer.status, body: text === '' ? {} : JSON.parse(text) }
    },
    { url, form },
  )
}

test('__Host- cookies in a real browser: set, unseen, sent, cleared', async (t) => {
  const tls = makeCertificate(t)
  const [port, proxyPort, appPort] = await Promise.all([1, 2, 3].map(() => findFreePort()))
  const issuer = `https://localhost:${proxyPort}`
  const app = `https://localhost:${appPort}`
  const service = await startLineage(t, {
    ...serverEnvironment((await openTestDatabase(t)).url),
    PORT: String(port),
    LINEAGE_ISSUER: issuer,
  })
  await serveTls(t, tls, proxyPort ?? 0, forwardTo(service.port))
  await serveTls(t, tls, appPort ?? 0, BLANK)
  const plain = `http://localhost:${await servePages(t, BLANK)}`
  const { id } = await service.makeClient({
    tokenDelivery: 'cookie',
    accessTokenCookie: true,
    allowedOrigins: [app, plain],
  })
  const user = await service.makeUser()
  const browser = await startChromium(t)
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  const page = await context.newPage()
  await page.goto(app)

  const { username, password } = user
  const form = { client_id: id, grant_type: 'password', username, password }
  const login = await post(page, `${issuer}/token`, form)
  t.equal(login.status, 200)
  t.equal(login.body.refresh_token, undefined)
  const cookies = await context.cookies(issuer)
  const flags = { httpOnly: true, secure: true, sameSite: 'Strict', path: '/' }
  t.match(
    cookies.map((cookie) => ({ ...cookie })),
    [
      { name: `__Host-lineage_refresh-${id}`, ...flags },
      { name: `__Host-lineage_access-${id}`, ...flags },
    ],
  )
  t.equal(cookies[1]?.value, login.body.access_token)
  for (const url of [app, `${issuer}/livez`]) {
    await page.goto(url)
    t.equal(await page.evaluate('document.cookie'), '')
  }

  await page.goto(app)
  const refresh = { client_id: id, grant_type: 'refresh_token' }
  t.equal((await post(page, `${issuer}/token`, refresh)).status, 200)
  const [refreshed] = await context.cookies(issuer)
  t.not(refreshed?.value, cookies[0]?.value)

  // http and https are two sites: the cookie stays at home although the origin is allowed.
  await page.goto(plain)
  t.equal((await post(page, `${issuer}/token`, refresh)).status, 400)
  await until('the refusal', () =>
    service.log('request.refused').some((line) => line.reason === 'parameter_missing'),
  )

  await page.goto(app)
  t.equal((await post(page, `${issuer}/revoke`, { client_id: id })).status, 200)
  t.strictSame(await context.cookies(issuer), [])
})

interface Certificate {
  readonly key: Buffer
  readonly cert: Buffer
}

function makeCertificate(t: Test): Certificate {
  const dir = t.testdir({})
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const args = ['req', '-x509', ...kind, ...names, '-keyout', key, '-out', cert]
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl: ${stderr}`)
  return { key: readFileSync(key), cert: readFileSync(cert) }
}

async function serveTls(
  t: Test,
  tls: Certificate,
  port: number,
  listener: RequestListener,
): Promise<void> {
  const server = createServer(tls, listener)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
}

/** The proxy in front that ends TLS. */
function forwardTo(port: number): RequestListener {
  return (incoming, outgoing) => {
    const { method, url: path, headers } = incoming
    const onward = httpRequest({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  }
}
