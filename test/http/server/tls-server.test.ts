// A listener that ends TLS itself: who gets through to it and how, new files while it runs, and what
// stays as it is without TLS.

import { once } from 'node:events'
import { Agent } from 'node:https'
import { type AddressInfo, connect as connectPlain } from 'node:net'
import { connect, type SecureVersion } from 'node:tls'
import { type Test, test } from 'tap'
import {
  callerWith,
  makeServerCertificate,
  makeTlsFolder,
  SERVER_CA,
  startTlsApp,
} from '../../scenes/tls-scene.ts'
import type { TestApp } from '../../support/app.ts'
import { makeAuthority, makeSelfSigned } from '../../support/certificates.ts'
import { tlsFetch } from '../../support/tls-fetch.ts'
import { until } from '../../support/until.ts'

const portOf = ({ app }: TestApp) => (app.server.address() as AddressInfo).port

/** The serial number of the certificate that a new connection is shown. */
async function servedBy(app: TestApp): Promise<string> {
  const socket = connect({ port: portOf(app), host: '127.0.0.1', ca: SERVER_CA.cert })
  await once(socket, 'secureConnect')
  const { serialNumber } = socket.getPeerCertificate()
  socket.destroy()
  return serialNumber
}

test('with and without a certificate, whoever signed it, requests are answered', async (t) => {
  const app = await startTlsApp(t, makeTlsFolder(t, [makeAuthority()]))
  const user = await app.makeUser()
  const { id } = await app.makeClient({})
  const stranger = makeSelfSigned({ subject: [['CN', 'stranger']] })
  for (const send of [callerWith(), callerWith(stranger)]) {
    t.equal((await send(`${app.url}/livez`)).status, 200)
    const { username, password } = user
    const form = { grant_type: 'password', client_id: id, username, password }
    const answer = await send(`${app.url}/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    })
    t.equal(answer.status, 200, 'also at the front')
  }
})

test('old versions, weak ciphers and what is no TLS come to nothing', async (t) => {
  const app = await startTlsApp(t, makeTlsFolder(t))
  const tryWith = async (options: { maxVersion?: SecureVersion; ciphers?: string }) => {
    const minVersion = options.maxVersion === 'TLSv1.1' ? { minVersion: 'TLSv1' as const } : {}
    const to = { port: portOf(app), host: '127.0.0.1', ca: SERVER_CA.cert }
    const socket = connect({ ...to, ...minVersion, ...options })
    return await new Promise<string>((resolve) => {
      socket.on('error', () => resolve('refused'))
      socket.on('secureConnect', () => {
        resolve(`${socket.getProtocol()}`)
        socket.destroy()
      })
    })
  }
  t.equal(await tryWith({}), 'TLSv1.3')
  t.equal(await tryWith({ maxVersion: 'TLSv1.2' }), 'TLSv1.2')
  const old = 'DEFAULT@SECLEVEL=0'
  t.equal(await tryWith({ maxVersion: 'TLSv1.1', ciphers: old }), 'refused')
  const weak = ['AES128-SHA256', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384', 'PSK']
  for (const ciphers of weak) {
    t.equal(
      await tryWith({ maxVersion: 'TLSv1.2', ciphers: `${ciphers}:${old}` }),
      'refused',
      ciphers,
    )
  }
  const plain = connectPlain(portOf(app), '127.0.0.1')
  plain.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n')
  let said = ''
  plain.setEncoding('latin1').on('data', (text: string) => {
    said += text
  })
  plain.on('error', () => {})
  await once(plain, 'close')
  t.notMatch(said, /HTTP/, 'nobody is answered in clear')
  t.equal((await callerWith()(`${app.url}/livez`)).status, 200, 'the others are')
})

test('no session is resumed, so each connection brings its own certificate', async (t) => {
  const app = await startTlsApp(t, makeTlsFolder(t))
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const to = { port: portOf(app), host: '127.0.0.1', ca: SERVER_CA.cert, maxVersion }
    const first = connect(to)
    let session: Buffer | undefined
    first.on('session', (given: Buffer) => {
      session = given
    })
    await once(first, 'secureConnect')
    first.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(first, 'data')
    first.destroy()
    const given = session ?? first.getSession()
    const second = connect({ ...to, ...(given && { session: given }) })
    await once(second, 'secureConnect')
    t.notOk(second.isSessionReused(), maxVersion)
    second.destroy()
  }
})

test('new files are taken without the end of a connection; broken ones keep the old', async (t) => {
  const folder = makeTlsFolder(t)
  const first = makeServerCertificate()
  folder.serve(first)
  const app = await startTlsApp(t, folder)
  const open = keptConnection(t)
  t.equal((await open.send(`${app.url}/livez`)).status, 200)
  t.equal(await servedBy(app), first.x509.serialNumber)

  const second = makeServerCertificate()
  folder.serve({ cert: second.cert, key: first.key })
  const failed = await until('the report', () =>
    app.log.find(({ event }) => event === 'tls.reload_failed'),
  )
  t.strictSame(failed.problems, [
    'LINEAGE_TLS_KEY_FILE is not the key of the first certificate of LINEAGE_TLS_CERT_FILE.',
  ])
  t.equal(await servedBy(app), first.x509.serialNumber)

  folder.serve(second)
  await until('the new files', () => app.log.some(({ event }) => event === 'tls.reloaded'))
  t.equal(await servedBy(app), second.x509.serialNumber)
  t.equal((await open.send(`${app.url}/livez`)).status, 200)
  t.equal(open.connections(), 1, 'over the connection from before')
  t.equal(app.log.filter(({ event }) => event === 'tls.reload_failed').length, 1)
})

test('other CAs: a connection with a certificate ends after its next answer', async (t) => {
  const [before, after] = [makeAuthority('Before'), makeAuthority('After')]
  const folder = makeTlsFolder(t, [before])
  const app = await startTlsApp(t, folder)
  const certified = keptConnection(t, before.issue({}))
  const anonymous = keptConnection(t)
  for (const { send } of [certified, anonymous]) await send(`${app.url}/livez`)
  folder.trust(after)
  await until('the new files', () => app.log.some(({ event }) => event === 'tls.reloaded'))
  for (const { send } of [certified, anonymous]) {
    t.equal((await send(`${app.url}/livez`)).status, 200)
    t.equal((await send(`${app.url}/livez`)).status, 200)
  }
  t.equal(certified.connections(), 2)
  t.equal(anonymous.connections(), 1)
})

/** A caller that keeps its connection, and how many it has needed so far. */
function keptConnection(t: Test, client?: { cert: string; key: string }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  let connections = 0
  const createConnection = agent.createConnection.bind(agent)
  agent.createConnection = (...args) => {
    connections += 1
    return createConnection(...args)
  }
  const send = tlsFetch({ ca: SERVER_CA.cert, client, agent })
  return { send, connections: () => connections }
}
