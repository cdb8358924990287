// When there is no room for one more connection, one that nobody has used gives way.

import { type AddressInfo, connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type FastifyInstance, fastify } from 'fastify'
import { type Test, test } from 'tap'
import { answerInTurn } from '../../../src/http/server/answers-in-turn.ts'
import { boundConnections, type Displaced } from '../../../src/http/server/bound-connections.ts'
import { LOCALHOST_CERTIFICATE, LOCALHOST_KEY } from '../../support/localhost-certificate.ts'
import { until } from '../../support/until.ts'

const MAX = 3

async function openScene(t: Test, isEncrypted: boolean) {
  const https = { key: LOCALHOST_KEY, cert: LOCALHOST_CERTIFICATE }
  const app = (isEncrypted ? fastify({ https }) : fastify()) as unknown as FastifyInstance
  const displaced: Displaced[] = []
  const count = boundConnections(app, { max: MAX, onFull: (which) => void displaced.push(which) })
  answerInTurn(app, () => {})
  app.get('/', async () => 'answer')
  app.post('/', async () => 'answer')
  let requests = 0
  app.server.on('request', () => {
    requests += 1
  })
  let letGo = () => {}
  app.get('/slow', async () => {
    await new Promise<void>((resolve) => {
      letGo = resolve
    })
    return 'slow answer'
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const sockets: Socket[] = []
  t.teardown(async () => {
    letGo()
    for (const socket of sockets) socket.destroy()
    await app.close()
  })

  async function call() {
    const to = { port, host: '127.0.0.1' }
    const socket = isEncrypted ? connectTls({ ...to, rejectUnauthorized: false }) : connectPlain(to)
    sockets.push(socket)
    let said = ''
    socket.setEncoding('utf8').on('data', (more: string) => {
      said += more
    })
    socket.on('error', () => {})
    let isClosed = false
    socket.once('close', () => {
      isClosed = true
    })
    return {
      isClosed: () => isClosed,
      send: (path: string) => void socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`),
      /** Resolves when the server waits for the rest of the body. */
      async sendHalf() {
        const before = requests
        socket.write(
          'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\na',
        )
        await until('the beginning of a request', () => requests > before)
      },
      async use() {
        said = ''
        socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
        await until('an answer', () => said.endsWith('answer'))
      },
    }
  }

  return { call, count, displaced, isSlowAsked: () => letGo.toString() !== '() => {}' }
}

for (const isEncrypted of [false, true]) {
  const how = isEncrypted ? 'TLS' : 'plain HTTP'
  test(`${how}: one that nobody has used gives way to a newcomer`, async (t) => {
    const { call, count, displaced } = await openScene(t, isEncrypted)
    const used = await call()
    await used.use()
    const unused = await call()
    await until('two', () => count() === 2)
    const third = await call()
    await third.use()
    const newcomer = await call()
    await newcomer.use()
    await until('the end of the unused one', unused.isClosed)
    t.strictSame(displaced, ['unused'])
    t.strictSame([used.isClosed(), third.isClosed(), count()], [false, false, MAX])
    await used.use()
  })

  test(`${how}: one that has not been used since the last look gives way`, async (t) => {
    const { call, displaced } = await openScene(t, isEncrypted)
    const callers = [await call(), await call(), await call()]
    for (const caller of callers) await caller.use()
    const newcomer = await call()
    // All were used, so all are spared, and then the newcomer has to go.
    await until('its end', newcomer.isClosed)
    t.strictSame(displaced, ['newcomer'])
    await callers[0]?.use()
    await callers[2]?.use()
    const second = await call()
    await second.use()
    await until('the end of the idle one', () => callers[1]?.isClosed())
    t.strictSame(displaced, ['newcomer', 'unused'])
  })
}

for (const sendsHalf of [false, true]) {
  const what = sendsHalf ? 'half a request' : 'nothing'
  test(`whoever was answered keeps his connection while others come that send ${what}`, async (t) => {
    const { call, count, displaced } = await openScene(t, false)
    const known = [await call(), await call()]
    for (const caller of known) await caller.use()
    for (const turn of [0, 1, 2, 3, 4, 5]) {
      const silent = await call()
      await until('its coming', () => count() === MAX && displaced.length === turn)
      if (sendsHalf) await silent.sendHalf()
    }
    t.strictSame(new Set(displaced), new Set(['unused']))
    for (const caller of known) {
      t.notOk(caller.isClosed())
      await caller.use()
    }
  })
}

test('one with a request under way is in use, however long it takes', async (t) => {
  const { call, count, displaced, isSlowAsked } = await openScene(t, false)
  const waiting = await call()
  waiting.send('/slow')
  await until('the request', isSlowAsked)
  const others = [await call(), await call()]
  await until('three', () => count() === MAX)
  for (const other of others) {
    const newcomer = await call()
    await newcomer.use()
    await until('the end of one that nobody used', other.isClosed)
  }
  const refused = await call()
  await until('the end of the newcomer', refused.isClosed)
  const newest = await call()
  await newest.use()
  t.notOk(waiting.isClosed())
  t.strictSame(displaced, ['unused', 'unused', 'newcomer', 'unused'])
})
