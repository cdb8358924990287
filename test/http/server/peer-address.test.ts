// Where a request came from, when proxies say so: ports, brackets and other ways to write it, proxies
// in a row, garbage, and headers of somebody who is not believed.

import { type Test, test } from 'tap'
import type { ServiceConfig } from '../../../src/config/service-config.ts'
import { startApp, type TestApp } from '../../support/app.ts'

const PEER = '127.0.0.1'
const PROXIES = ['127.0.0.0/8', '10.0.0.0/8', '2001:db8:1::/48']

async function openScene(t: Test, config: Partial<ServiceConfig>) {
  const app = await startApp(t, { config })
  const client = await app.makeClient({
    type: 'confidential',
    grantTypes: ['password', 'refresh_token'],
    forwardsClientIp: true,
  })
  const user = await app.makeUser()
  /** Where the event of a login says that it came from. */
  async function sourceOf(headers: Record<string, string>): Promise<unknown> {
    const parameters = {
      grant_type: 'password',
      client_id: client.id,
      client_secret: client.secret,
      username: user.username,
      password: user.password,
    }
    const answer = await app.form('/token', parameters, headers)
    t.equal(answer.status, 200)
    return app.log.findLast((line) => line.event === 'login.succeeded')?.ip
  }
  return { app, user, sourceOf }
}

async function sessionAddresses(app: TestApp, userId: string): Promise<unknown[]> {
  const answer = await app.admin('GET', `/admin/users/${userId}/sessions`)
  const { items } = (await answer.json()) as { items: { ip: unknown }[] }
  return items.map(({ ip }) => ip)
}

test('a trusted proxy says where a request came from, in whatever form', async (t) => {
  const { app, user, sourceOf } = await openScene(t, { trustProxy: PROXIES })
  const forms: readonly (readonly [header: string, ip: string])[] = [
    ['203.0.113.9', '203.0.113.9'],
    ['203.0.113.9:51008', '203.0.113.9'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['[2001:DB8::0007]:443', '2001:db8::7'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['for="[2001:db8::7]:443"', '2001:db8::7'],
    ['192.0.2.66, 203.0.113.9:1', '203.0.113.9'],
    ['203.0.113.9, 10.1.2.3:80, [2001:db8:1::1]:80, ::ffff:10.0.0.1', '203.0.113.9'],
    ['203.0.113.9, , 10.0.0.1,', '203.0.113.9'],
  ]
  for (const [header, ip] of forms) {
    t.equal(await sourceOf({ 'x-forwarded-for': header }), ip, header)
  }
  t.strictSame(
    await sessionAddresses(app, user.id),
    forms.map(([, ip]) => ip),
  )
  const client = forms.filter(([header]) => !header.includes(','))
  for (const [header, ip] of client) {
    t.equal(await sourceOf({ 'lineage-client-ip': header }), ip, `client: ${header}`)
  }
})

test('what is garbage, and all beyond it, counts as not said', async (t) => {
  const { app, sourceOf } = await openScene(t, { trustProxy: PROXIES })
  const evil = 'evil<script>'
  for (const [header, ip] of [
    [evil, PEER],
    ['unknown', PEER],
    [`203.0.113.9, ${evil}`, PEER],
    [`203.0.113.9, ${evil}, 10.0.0.1`, '10.0.0.1'],
    [`${evil}, 203.0.113.9`, '203.0.113.9'],
    [`fe80::1%${'e'.repeat(3_000)}`, PEER],
    ['203.0.113.9%eth0', PEER],
    [',', PEER],
    ['1.1.1.1, '.repeat(1_500), '1.1.1.1'],
    [`203.0.113.9${', 10.0.0.1'.repeat(1_000)}`, '10.0.0.1'],
  ] as const) {
    t.equal(await sourceOf({ 'x-forwarded-for': header }), ip, header.slice(0, 40))
  }
  const two = { 'lineage-client-ip': '192.0.2.7, 192.0.2.8', 'x-forwarded-for': '203.0.113.9' }
  t.equal(await sourceOf(two), '203.0.113.9', 'two addresses of a client are none')
  t.notMatch(JSON.stringify(app.log), /evil/)
})

test('nobody is believed who is not trusted', async (t) => {
  const { sourceOf } = await openScene(t, { trustProxy: ['10.0.0.0/8'] })
  t.equal(await sourceOf({ 'x-forwarded-for': '203.0.113.9' }), PEER)
  const none = await openScene(t, { trustProxy: [] })
  t.equal(await none.sourceOf({ 'x-forwarded-for': '203.0.113.9' }), PEER)
})
