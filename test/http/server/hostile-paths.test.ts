// A path has one spelling: any other way to write one of ours is 404, whoever asks, so that a proxy
// which blocks by the bytes of a path cannot be walked around. Below /verify/ nothing is judged.

import { test } from 'tap'
import { startApp, type TestApp } from '../../support/app.ts'
import { exchange, FORM, isProblem, write } from '../../support/hostile-wire.ts'

/** Other spellings of a path of at least two segments. */
function spellingsOf(path: string): readonly string[] {
  const [, first = '', ...rest] = path.split('/')
  const second = rest.join('/')
  const hex = (text: string, at: number) =>
    `${text.slice(0, at)}%${text.charCodeAt(at).toString(16)}${text.slice(at + 1)}`
  return [
    `/${hex(first, 0)}/${second}`,
    `/${hex(first, first.length - 1)}/${second}`,
    `/${first}/${hex(second, 0)}`,
    `/${first}/${hex(second, second.length - 1).replace('%6', '%4')}`,
    `/${first}%2f${second}`,
    `/${first}%2F${second}`,
    `%2f${first}/${second}`,
    `//${first}/${second}`,
    `/${first}//${second}`,
    `/./${first}/${second}`,
    `/${first}/./${second}`,
    `/${first}/../${first}/${second}`,
    `/x/../${first}/${second}`,
    `/%2e/${first}/${second}`,
    `/${first}/%2e%2e/${first}/${second}`,
    `/${first}/${second}/.`,
    `/${first}/${second}/..`,
    `\\${first}\\${second}`,
    `/${first}\\${second}`,
    `/${first};x/${second}`,
    `/${first}/${second};x`,
    `/${first}/${second}#x`,
    `/${first}/${second}#?x`,
    `/${first}/${second}%00`,
    `/${first}/${second}%20`,
    `/${first}/${second}%3f`,
    `/${first}/${second}%zz`,
    `/${first}/${second}%`,
    `/${first}/${second}%ff`,
    `/${first}/${second}\xc3\xa9`,
    `/${first}/${second}\xff`,
    `${first}/${second}`,
    `http://lineage.test/${first}/${second}`,
    `HTTPS://lineage.test:1/${first}/${second}`,
    `http:///${first}/${second}`,
  ]
}

async function isUnknown(
  t: Parameters<typeof isProblem>[0],
  { url }: TestApp,
  start: string,
  headers: readonly string[],
): Promise<void> {
  const [answer] = await exchange(url, write(start, headers))
  // Node itself refuses what is no target at all.
  const isTarget = /^[A-Z]+ (\/|https?:\/\/l)[\x21-\x7e]*$/i.test(start)
  t.ok(answer?.status === 404 || (!isTarget && answer?.status === 400), start)
  isProblem(t, answer, start)
}

test('another spelling of a path of an administrator is 404, with a good token too', async (t) => {
  const app = await startApp(t)
  const user = await app.makeUser()
  const headers = [`Authorization: Bearer ${await app.adminToken()}`]
  for (const path of ['/admin/users', `/admin/users/${user.id}`, '/users/me', '/docs/style.css']) {
    for (const target of spellingsOf(path)) await isUnknown(t, app, `GET ${target}`, headers)
  }
  for (const other of [
    user.id.replace('-', '%2d'),
    user.id.replace('-', '%2D'),
    `%2e%2e%2f${user.id}`,
  ]) {
    await isUnknown(t, app, `DELETE /admin/users/${other}`, headers)
  }
  const [deletion] = await exchange(app.url, write(`DELETE /admin/users/${user.id}%00`, headers))
  t.equal(deletion?.status, 204, 'an id that never was, in the one way to write it')
  const [answer] = await exchange(app.url, write(`GET /admin/users/${user.id}?x=%61`, headers))
  t.equal(answer?.status, 200, 'a query is none of the path')
})

test('under an issuer with a path, and at the OAuth endpoints', async (t) => {
  const app = await startApp(t, { config: { issuer: 'https://auth.example.test/id' } })
  for (const path of [
    '/id/token',
    '/id/admin/users',
    '/.well-known/oauth-authorization-server/id',
  ]) {
    for (const target of spellingsOf(path)) await isUnknown(t, app, `POST ${target}`, [FORM])
  }
  t.equal((await exchange(app.url, write('POST /id/token', [FORM], '')))[0]?.status, 400)
  for (const target of ['/%69d/verify/x', '/id/%76erify/x', '//id/verify/x', '/id/verify%2fx']) {
    await isUnknown(t, app, `GET ${target}`, [])
  }
})

test('at the port of operations', async (t) => {
  const app = await startApp(t, { surface: 'operations' })
  const headers = [`Authorization: Bearer x`]
  for (const target of spellingsOf('/admin/users'))
    await isUnknown(t, app, `GET ${target}`, headers)
  for (const target of [
    '/%6civez',
    '//livez',
    '/./readyz',
    '/verify/../admin/users',
    '/verify/x',
  ]) {
    await isUnknown(t, app, `GET ${target}`, headers)
  }
  t.equal((await exchange(app.url, write('GET /livez')))[0]?.status, 200)
})

test('below /verify/ every spelling is somebody else’s', async (t) => {
  const app = await startApp(t)
  for (const target of spellingsOf('/admin/users').filter((one) => /^\/[!-~]+$/.test(one))) {
    const [answer] = await exchange(app.url, write(`GET /verify${target}`))
    t.equal(answer?.status, 401, target)
  }
})
