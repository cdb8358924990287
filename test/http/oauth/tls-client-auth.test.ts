// tls_client_auth over real TLS: who is let in, and every certificate that is nearly right
// (docs/semantics.md §24; C37).

import { type Test, test } from 'tap'
import {
  ATTACKS,
  CERTIFICATE_CLIENT,
  goodCertificate,
  PAYMENTS,
  PAYMENTS_DN,
  REGISTERED,
  type RegisteredName,
} from '../../scenes/certificate-attacks.ts'
import { callerWith, makeTlsFolder, startTlsApp } from '../../scenes/tls-scene.ts'
import type { Send, TestApp } from '../../support/app.ts'
import { makeAuthority } from '../../support/certificates.ts'

const CA = makeAuthority('Client CA')
const NAMES = Object.keys(REGISTERED) as RegisteredName[]

/** A client for each kind of name; the id is the name's. */
async function openScene(t: Test) {
  const app = await startTlsApp(t, makeTlsFolder(t, [CA]), { config: { throttle: 'off' } })
  for (const name of NAMES) {
    await app.makeClient({
      ...CERTIFICATE_CLIENT,
      id: name.toLowerCase(),
      tlsClientAuth: { [name]: REGISTERED[name].wanted },
    })
  }
  return app
}

function ask(app: TestApp, send: Send, clientId: string, more: Record<string, string> = {}) {
  const form = { grant_type: 'client_credentials', client_id: clientId, ...more }
  return send(`${app.url}/token`, { method: 'POST', body: new URLSearchParams(form) })
}

const reasonOf = ({ log }: TestApp) =>
  log.findLast(({ event }) => event === 'client.authentication_failed')?.reason

test('each kind of name lets its client in, and no other one', async (t) => {
  const app = await openScene(t)
  for (const name of NAMES) {
    const send = callerWith(goodCertificate(CA, name))
    for (const other of NAMES) {
      const answer = await ask(app, send, other.toLowerCase())
      t.equal(answer.status, other === name ? 200 : 401, `${name} at ${other}`)
      if (other !== name) t.equal(reasonOf(app), 'client_certificate_name_wrong')
    }
  }
  const renewed = callerWith(goodCertificate(CA, 'subjectDn'))
  t.equal((await ask(app, renewed, 'subjectdn')).status, 200, 'another certificate of the name')
  for (const path of ['/introspect', '/revoke']) {
    const body = new URLSearchParams({ client_id: 'subjectdn', token: 'x' })
    t.equal((await renewed(`${app.url}${path}`, { method: 'POST', body })).status, 200, path)
  }
})

test('every certificate that is nearly right is refused in the same words', async (t) => {
  const app = await openScene(t)
  const told = new Set<string>()
  for (const { what, name, make, reason } of ATTACKS) {
    const answer = await ask(app, callerWith(make(CA)), name.toLowerCase())
    t.equal(answer.status, 401, what)
    told.add(await answer.text())
    t.equal(reasonOf(app), reason, what)
    const good = await ask(app, callerWith(goodCertificate(CA, name)), name.toLowerCase())
    t.equal(good.status, 200, `after ${what}`)
  }
  const none = await ask(app, callerWith(), 'subjectdn')
  told.add(await none.text())
  t.equal(reasonOf(app), 'client_certificate_missing')
  const unknown = await ask(app, callerWith(goodCertificate(CA, 'subjectDn')), 'nobody')
  told.add(await unknown.text())
  t.equal(reasonOf(app), 'client_unknown')
  t.equal(told.size, 1)
  t.match([...told][0], /"invalid_client"/)
})

test('a header counts for nothing where nobody is trusted to send it', async (t) => {
  const app = await openScene(t)
  const { header } = goodCertificate(CA, 'subjectDn')
  const form = { grant_type: 'client_credentials', client_id: 'subjectdn' }
  for (const headers of [
    { 'client-cert': header },
    { 'client-cert': header, 'x-forwarded-for': '::1' },
  ]) {
    const init = { method: 'POST', body: new URLSearchParams(form), headers }
    t.equal((await callerWith()(`${app.url}/token`, init)).status, 401)
    t.equal(reasonOf(app), 'client_certificate_missing')
    const stranger = makeAuthority('Other CA').issue({ subject: PAYMENTS })
    t.equal((await callerWith(stranger)(`${app.url}/token`, init)).status, 401)
    t.equal(reasonOf(app), 'client_certificate_untrusted')
  }
})

test('a secret is no certificate, and a certificate no secret', async (t) => {
  const app = await openScene(t)
  const send = callerWith(goodCertificate(CA, 'subjectDn'))
  t.equal((await ask(app, send, 'subjectdn', { client_secret: 'x' })).status, 401)
  t.equal(reasonOf(app), 'client_method_not_allowed')
  const { id, secret } = await app.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    tlsClientAuth: { subjectDn: PAYMENTS_DN },
  })
  t.equal((await ask(app, send, id)).status, 401)
  t.equal(reasonOf(app), 'client_secret_missing')
  t.equal((await ask(app, send, id, { client_secret: secret })).status, 200)
})

test('without a file of CAs no certificate counts', async (t) => {
  const app = await startTlsApp(t, makeTlsFolder(t))
  await app.makeClient({ ...CERTIFICATE_CLIENT, id: 'subjectdn' })
  t.equal((await ask(app, callerWith(goodCertificate(CA, 'subjectDn')), 'subjectdn')).status, 401)
  t.equal(reasonOf(app), 'client_certificate_untrusted')
})
