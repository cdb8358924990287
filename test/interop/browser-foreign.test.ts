// A site of somebody else's, open in the same browser as the example: it reads nothing, ends nothing
// and begins nothing, whether the browser sends the cookie along (another port of the same host is
// the same site) or keeps it back (another host is another site).

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Page } from 'playwright-core'
import { t as file, test } from 'tap'
import { openExampleScene, servePages, waitForState } from '../scenes/browser-scene.ts'
import { until } from '../support/until.ts'

const scene = await openExampleScene(file)
const { service, issuer, clientId } = scene
const port = await servePages(file, serveEvil)

/** An empty page to call `fetch` on, or a form that submits itself: that needs nobody's permission. */
function serveEvil(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://evil')
  const inputs = [...searchParams].map(([name, value]) => `<input name="${name}" value="${value}">`)
  const form = `<form method="post" action="${issuer}${pathname}">${inputs.join('')}</form>
    <script>document.forms[0].submit()</script>`
  const headers = { 'content-type': 'text/html', ...opaqueOrigin(searchParams) }
  response.writeHead(200, headers).end(`<!doctype html>${pathname === '/' ? '' : form}`)
}

/** In a sandbox a page has no origin: the browser says `Origin: null`. */
function opaqueOrigin(parameters: URLSearchParams): Record<string, string> {
  return parameters.has('opaque')
    ? { 'content-security-policy': 'sandbox allow-forms allow-scripts' }
    : {}
}

const HOSTS = [
  { host: 'localhost', site: 'same', sendsCookie: true },
  { host: '127.0.0.1', site: 'another', sendsCookie: false },
]

/** The reasons of all refusals from here on, once there are as many as expected. */
function watchRefusals(): (count: number) => Promise<unknown[]> {
  // Chromium asks every host for an icon.
  const list = () =>
    service
      .log('request.refused')
      .map((line) => line.reason)
      .filter((reason) => reason !== 'not_found')
  const before = list().length
  return (count) =>
    until(`${count} refusals`, () => list().length >= before + count && list().slice(before))
}

/** `fetch` from a page's own scripts, with credentials: a status, or that it may not be read. */
function fetchFrom(page: Page, path: string, form?: Record<string, string>): Promise<string> {
  return page.evaluate(
    async ({ url, form }) => {
      const body = form && new URLSearchParams(form)
      const method = form ? 'POST' : 'GET'
      return await fetch(url, { method, credentials: 'include', ...(body ? { body } : {}) }).then(
        (answer) => String(answer.status),
        () => 'unreadable',
      )
    },
    { url: issuer + path, form },
  )
}

/** Brings a page to a form that submits itself, and waits until that is answered. */
async function submitFrom(
  page: Page,
  host: string,
  path: string,
  form: Record<string, string>,
): Promise<void> {
  const answered = page.waitForResponse(issuer + path)
  await page.goto(`http://${host}:${port}${path}?${new URLSearchParams(form)}`)
  await (await answered).finished()
}

for (const { host, site, sendsCookie } of HOSTS) {
  test(`${host}, ${site} site: gets no token and can log nobody out`, async (t) => {
    const profile = await scene.openProfile(t)
    const tab = await profile.openTab()
    await profile.logIn(tab)
    const token = await profile.refreshToken()
    const evil = await profile.context.newPage()
    await evil.goto(`http://${host}:${port}/`)
    const refusals = watchRefusals()

    const refresh = { client_id: clientId, grant_type: 'refresh_token' }
    t.equal(await fetchFrom(evil, '/token', refresh), 'unreadable')
    t.equal(await fetchFrom(evil, '/revoke', { client_id: clientId }), 'unreadable')
    t.equal(await fetchFrom(evil, '/users/me'), 'unreadable')
    t.equal(await fetchFrom(evil, '/.well-known/jwks.json'), 'unreadable', 'with credentials')
    await submitFrom(evil, host, '/token', refresh)
    await submitFrom(evil, host, '/revoke', { client_id: clientId })
    await submitFrom(evil, host, '/revoke', { client_id: clientId, opaque: 'yes' })
    const refresher = sendsCookie ? 'origin_not_allowed' : 'parameter_missing'
    t.strictSame(await refusals(6), [
      refresher,
      'origin_not_allowed',
      'invalid_token',
      refresher,
      'origin_not_allowed',
      'origin_not_allowed',
    ])
    t.equal(await profile.refreshToken(), token, 'never used, never cleared')
    const answer = tab.waitForResponse(`${issuer}/token`)
    await tab.click('#refresh')
    t.equal((await answer).status(), 200)
    t.strictSame(service.log('token.revoked'), [])
  })

  test(`${host}, ${site} site: can log nobody in`, async (t) => {
    const profile = await scene.openProfile(t)
    const attacker = await service.makeUser()
    const evil = await profile.context.newPage()
    await evil.goto(`http://${host}:${port}/`)
    const refusals = watchRefusals()
    const { username, password } = attacker
    const login = { client_id: clientId, grant_type: 'password', username, password }
    t.equal(await fetchFrom(evil, '/token', login), 'unreadable')
    await submitFrom(evil, host, '/token', login)
    await submitFrom(evil, host, '/token', { ...login, opaque: 'yes' })
    t.strictSame(new Set(await refusals(3)), new Set(['origin_not_allowed']))
    t.equal(await profile.refreshToken(), undefined)
    const logins = service.log('login.succeeded').filter((line) => line.subject === attacker.id)
    t.strictSame(logins, [])
    const tab = await profile.openTab()
    await waitForState(tab, 'signed out')
  })
}

test('what is public may be read from anywhere, without credentials', async (t) => {
  const { context } = await scene.openProfile(t)
  const evil = await context.newPage()
  await evil.goto(`http://127.0.0.1:${port}/`)
  const status = await evil.evaluate(
    async (url) => (await fetch(url)).status,
    `${issuer}/.well-known/jwks.json`,
  )
  t.equal(status, 200)
})
