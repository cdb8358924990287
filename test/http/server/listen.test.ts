// Several addresses, as `localhost` has them: each is the same server, with its limits and manners.

import { EventEmitter, once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { fastify } from 'fastify'
import { type Test, test } from 'tap'
import { setErrorHandler } from '../../../src/http/server/error-handler.ts'
import { findAddresses, listenAt } from '../../../src/http/server/listen.ts'
import { SERVER_OPTIONS, setAnswersOutsideRoutes } from '../../../src/http/server/server-options.ts'
import { exchange, isProblem, write } from '../../support/hostile-wire.ts'

const HERE = ['127.0.0.1', '127.0.0.2']

function makeApp(t: Test) {
  const app = fastify(SERVER_OPTIONS)
  setErrorHandler(app)
  setAnswersOutsideRoutes(app, () => {})
  app.post('/count', async (request) => ({ count: request.raw.rawHeaders.length / 2 }))
  t.teardown(() => app.close())
  return app
}

const portOf = (app: { server: { address(): unknown } }) =>
  (app.server.address() as AddressInfo).port

test('every address has the limits and handlers of the first', async (t) => {
  const app = makeApp(t)
  await listenAt(app, HERE, 0)
  for (const host of HERE) {
    const url = `http://${host}:${portOf(app)}`
    const many = Array.from({ length: 2_500 }, () => 'a:')
    const [counted] = await exchange(url, write('POST /count', many))
    t.match(JSON.parse(counted?.body ?? ''), { count: 2_502 }, `${host}: none is dropped`)
    const [expecting] = await exchange(url, write('POST /count', ['Expect: evil']))
    t.equal(expecting?.status, 200, `${host}: an unknown expectation is ignored`)
    const [unparsable] = await exchange(url, 'EVIL / HTTP/1.1\r\nHost: x\r\n\r\n')
    t.equal(unparsable?.status, 400)
    isProblem(t, unparsable, host)
  }
})

test('closing waits for what came to any address, and ends what is idle', async (t) => {
  const app = makeApp(t)
  const gate = new EventEmitter()
  const arrived = once(gate, 'arrived')
  app.get('/slow', async () => {
    const opened = once(gate, 'opened')
    gate.emit('arrived')
    await opened
    return 'done'
  })
  await listenAt(app, HERE, 0)
  const port = portOf(app)
  const idle = connect(port, '127.0.0.2')
  idle.write('POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
  await once(idle, 'data')
  const answer = exchange(`http://127.0.0.2:${port}`, write('GET /slow'))
  await arrived
  let isClosed = false
  const closed = app.close().then(() => {
    isClosed = true
  })
  await once(idle.resume(), 'close')
  for (const host of HERE) {
    t.strictSame(await exchange(`http://${host}:${port}`, write('GET /slow')), [], host)
  }
  t.notOk(isClosed)
  gate.emit('opened')
  t.equal((await answer)[0]?.status, 200)
  await closed
})

test('who has connected when the listener closes is answered', async (t) => {
  const app = makeApp(t)
  await listenAt(app, HERE, 0)
  const port = portOf(app)
  // The system takes them at once; the process accepts them when it comes to it, which is after the close.
  const hosts = Array.from({ length: 8 }, () => HERE).flat()
  const sockets = hosts.map((host) => connect(port, host))
  const answers = sockets.map(async (socket) => {
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    socket.write(write('POST /count'))
    await once(socket, 'close').catch((error: unknown) => {
      text += String(error)
    })
    return text
  })
  const closed = app.close()
  for (const answer of await Promise.all(answers)) t.match(answer, /^HTTP\/1\.1 200 /)
  await closed
})

test('an address that is not here is passed over, one that is taken is told', async (t) => {
  // 192.0.2.0/24 is nobody's (RFC 5737).
  for (const addresses of [
    ['192.0.2.1', '127.0.0.2'],
    ['127.0.0.2', '192.0.2.1'],
  ]) {
    const app = makeApp(t)
    await listenAt(app, addresses, 0)
    t.match(app.server.address(), { address: '127.0.0.2' })
  }
  await t.rejects(listenAt(makeApp(t), ['192.0.2.1'], 0), { code: 'EADDRNOTAVAIL' })
  const other = makeApp(t)
  await listenAt(other, ['127.0.0.2'], 0)
  await t.rejects(listenAt(makeApp(t), HERE, portOf(other)), { code: 'EADDRINUSE' })
})

test('localhost is all of its addresses, any other name is as it is given', async (t) => {
  t.ok((await findAddresses('localhost')).includes('127.0.0.1'))
  t.strictSame(await findAddresses('::'), ['::'])
})
