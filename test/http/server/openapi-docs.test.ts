// GET /openapi.json and GET /docs: what is served, how it may be kept, and what the page may do.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { test } from 'tap'
import type { Contract } from '../../../scripts/api-page/contract.ts'
import { loadApiFiles } from '../../../src/http/server/api-files.ts'
import { ISSUER, MAIL, startApp } from '../../support/app.ts'
import { operationsOf, readContract } from '../../support/contract.ts'

const run = promisify(execFile)

const CSP =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

test('the contract and its page name the issuer, lie under its path, and may be kept', async (t) => {
  const issuer = `${ISSUER}/tenant/one`
  const app = await startApp(t, { config: { issuer } })
  const contract = await app.fetch('/tenant/one/openapi.json')
  t.equal(contract.headers.get('content-type'), 'application/json; charset=utf-8')
  const { servers, paths } = (await contract.json()) as Contract
  t.equal(servers[0]?.url, issuer)
  t.equal(paths['/livez']?.servers?.[0]?.url, ISSUER, 'probes lie at the root')
  t.match(await (await app.fetch('/tenant/one/docs')).text(), `curl ${issuer}/token`)

  for (const path of ['/openapi.json', '/docs', '/docs/style.css', '/docs/icon.svg']) {
    t.equal((await app.fetch(path)).status, 404, 'not outside of the path')
    const answer = await app.fetch(`/tenant/one${path}`)
    t.equal(answer.status, 200, path)
    t.equal(answer.headers.get('cache-control'), 'public, max-age=300')
    const headers = { 'if-none-match': answer.headers.get('etag') ?? '' }
    const again = await app.fetch(`/tenant/one${path}`, { headers })
    t.equal(again.status, 304)
    t.equal(await again.text(), '')
    t.equal((await app.fetch(`/tenant/one${path}`, { method: 'HEAD' })).status, 200)
  }
})

test('the page has no script and may load its own style and icon only', async (t) => {
  const app = await startApp(t, { config: { mail: MAIL } })
  const types = {
    '/docs': 'text/html; charset=utf-8',
    '/docs/style.css': 'text/css; charset=utf-8',
    '/docs/icon.svg': 'image/svg+xml',
  }
  for (const [path, type] of Object.entries(types)) {
    const { headers } = await app.fetch(path)
    t.equal(headers.get('content-type'), type)
    t.equal(headers.get('content-security-policy'), CSP, path)
    t.equal(headers.get('x-content-type-options'), 'nosniff')
    t.equal(headers.get('referrer-policy'), 'no-referrer')
  }
  const page = await (await app.fetch('/docs')).text()
  t.notMatch(page, /<script|<style|\sstyle=|\son\w+=/i)
  const loaded = [...page.matchAll(/<(?:link|img)[^>]*\s(?:href|src)="([^"]*)"/g)]
  t.strictSame(
    loaded.map(([, url]) => url),
    ['docs/style.css', 'docs/icon.svg'],
  )
  for (const { id, operation } of operationsOf(readContract())) {
    t.match(page, `<article class="operation" id="${id}">`)
    t.match(page, `<a href="#${id}">${operation.summary.replaceAll("'", '&#39;')}</a>`)
  }
  const targets = new Set([...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id))
  for (const [, id] of page.matchAll(/\shref="#([^"]*)"/g)) {
    if (!targets.has(id)) t.fail(`a link leads to ${id}, which is not there`)
  }
})

test('where operations have a port of their own, the public one documents all of it', async (t) => {
  const app = await startApp(t, { surface: 'public' })
  t.match(await (await app.fetch('/docs')).text(), 'id="listUsers"')
  const operations = await startApp(t, { surface: 'operations', beside: app })
  for (const path of ['/docs', '/openapi.json']) {
    t.equal((await operations.fetch(path)).status, 404)
  }
})

test('what lies on the port of the operations is shown there, and called there', async (t) => {
  const config = { issuer: `${ISSUER}/tenant/one`, opsPort: 9000, mail: MAIL }
  const app = await startApp(t, { config, surface: 'public' })
  const operations = await startApp(t, { config, surface: 'operations', beside: app })
  const { paths } = (await (await app.fetch('/tenant/one/openapi.json')).json()) as Contract
  const page = await (await app.fetch('/tenant/one/docs')).text()
  for (const { id, path, method } of operationsOf(readContract())) {
    if (path.includes('{issuerPath}')) continue
    const [server] = paths[path]?.servers ?? []
    const [, article = ''] = page.split(`<article class="operation" id="${id}">`)
    const place = path.startsWith('/admin') ? '/tenant/one' : ''
    const address = `http://localhost:9000${place}`
    const url = `${place}${path.replace(/\{\w+\}/g, 'x')}`
    const isThere =
      (await operations.app.inject({ method: method as 'GET', url })).statusCode !== 404
    const isShown = article.split('</article>')[0]?.includes(`At <code>${address}</code>: The port`)
    const [, called] = /curl (?:&#39;)?(http\S*)/.exec(article) ?? []
    const isCalled = called?.startsWith(`${address}${path.split('{')[0]}`)
    const expected = isThere && path !== '/'
    t.strictSame(
      [server?.url === address, isShown, isCalled === true],
      [expected, expected, expected],
      id,
    )
  }
})

/** Names of hosts may have these; `&` and `$&` also mean something to a replacement. */
const ODD_ISSUERS = [
  'https://[2001:db8::1]:8443/a',
  `https://a'b&c$&d"e\`f.example.com/x`,
  'https://{{issuer}}$1.example.com',
] as const

for (const issuer of ODD_ISSUERS) {
  for (const opsPort of [undefined, 9000]) {
    test(`${issuer} is said as it is, with operations on ${opsPort ?? 'its own port'}`, async (t) => {
      const { contract, page } = loadApiFiles({ issuer, opsPort })
      const { servers, paths } = JSON.parse(contract) as Contract
      const { origin, pathname } = new URL(issuer)
      t.equal(servers[0]?.url, issuer)
      const inserted = '/.well-known/oauth-authorization-server/{issuerPath}'
      t.equal(paths[inserted]?.servers?.[0]?.url, origin)
      const opsOrigin = 'http://localhost:9000'
      const basePath = pathname.replace(/\/$/, '')
      t.equal(paths['/livez']?.servers?.[0]?.url, opsPort ? opsOrigin : origin)
      const users = paths['/admin/users']?.servers?.[0]?.url
      t.equal(users, opsPort ? `${opsOrigin}${basePath}` : undefined)

      t.ok(page.includes(`Issuer <code>${escapeHtml(issuer)}</code>`))
      const command = `curl '${issuer.replaceAll("'", `'\\''`)}/token'`
      t.ok(page.includes(escapeHtml(command)), command)
      t.strictSame(await argumentsInShell(command), [`${issuer}/token`])
      const others = `${contract}${page}`.replaceAll(new URL(ODD_ISSUERS[2]).host, '')
      t.notMatch(others, '{{', 'nothing is left open')
    })
  }
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}

/** What a real shell makes of the words after the first one. */
async function argumentsInShell(command: string): Promise<string[]> {
  const { stdout } = await run('sh', ['-c', command.replace(/^curl/, 'printf "%s\\n"')])
  return stdout.trimEnd().split('\n')
}
