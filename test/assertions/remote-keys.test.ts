// Keys that are published elsewhere: by a real server that moves, hangs, grows and goes away.

import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Test, test } from 'tap'
import { fetchJwks } from '../../src/assertions/fetch-jwks.ts'
import type { KeySource } from '../../src/assertions/key-source.ts'
import { openRemoteKeys, WAITING_MAX } from '../../src/assertions/remote-keys.ts'
import { makeKeyPairSync } from '../../src/runtime/key-pair.ts'
import { SWITCHING, startRawServer } from '../support/raw-server.ts'
import { until } from '../support/until.ts'

const SECOND_MS = 1_000
const HOUR_MS = 3_600 * SECOND_MS

function jwkOf(kid: string) {
  const { publicKey } = makeKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...publicKey.export({ format: 'jwk' }), kid }
}
const KEY = jwkOf('one')

/** A publisher of keys; `answer` says what it does from now on. */
async function startPublisher(t: Test) {
  let looks = 0
  let answer = (response: ServerResponse): void => {
    response.end(JSON.stringify({ keys: [KEY] }))
  }
  const server = createServer((_request, response) => {
    looks += 1
    answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    looks: () => looks,
    answerWith(other: typeof answer) {
      answer = other
    },
    publish(...keys: unknown[]) {
      answer = (response) => response.end(JSON.stringify({ keys }))
    },
  }
}

function openAt(uri: string, timeoutMs?: number) {
  let nowMs = 0
  const failures: string[] = []
  const remote = openRemoteKeys({
    onFailed: ({ problem }) => failures.push(problem),
    clock: () => nowMs,
    ...(timeoutMs !== undefined && { timeoutMs }),
  })
  return {
    failures,
    /** As each request asks. */
    source: () => remote.at(uri, true),
    pass(ms: number) {
      nowMs += ms
    },
  }
}

async function kidsOf(source: KeySource): Promise<readonly (string | undefined)[] | undefined> {
  return (await source.current())?.map(({ kid }) => kid)
}

test('so many wait for one look; who comes then has what is known, and nobody waits for fresh keys', async (t) => {
  const publisher = await startPublisher(t)
  const { source, pass } = openAt(publisher.uri)
  const held: ServerResponse[] = []
  publisher.answerWith((response) => void held.push(response))
  const waiting = Array.from({ length: WAITING_MAX }, () => kidsOf(source()))
  t.equal(source().current(), undefined, 'nothing is known yet')
  t.equal(source().renewed(), undefined)
  const letGo = async () => {
    const response = await until('a look', () => held.shift())
    response.end(JSON.stringify({ keys: [KEY] }))
  }
  await letGo()
  t.ok((await Promise.all(waiting)).every((kids) => kids?.[0] === 'one'))
  t.notOk(source().current() instanceof Promise, 'fresh keys are at hand')
  pass(HOUR_MS)
  const later = Array.from({ length: WAITING_MAX }, () => kidsOf(source()))
  t.strictSame(await kidsOf(source()), ['one'], 'what was known')
  await letGo()
  await Promise.all(later)
  t.equal(publisher.looks(), 2)
})

test('keys are fetched once, by however many ask, and kept as long as their publisher says', async (t) => {
  const publisher = await startPublisher(t)
  const { source, pass } = openAt(publisher.uri)
  await Promise.all(Array.from({ length: 40 }, () => kidsOf(source())))
  t.strictSame(await kidsOf(source()), ['one'])
  t.equal(publisher.looks(), 1)
  const cases: [control: string, age: string, forSeconds: number][] = [
    ['max-age=600', '', 600],
    ['public, MAX-AGE=600', '100', 500],
    ['max-age=1', '', 60],
    ['no-store', '', 60],
    ['max-age=99999999', '', 24 * 3600],
    ['', '', 300],
    ['max-age=-5', '', 300],
  ]
  for (const [control, age, forSeconds] of cases) {
    publisher.answerWith((response) => {
      if (control) response.setHeader('cache-control', control)
      if (age) response.setHeader('age', age)
      response.end(JSON.stringify({ keys: [KEY] }))
    })
    pass(25 * HOUR_MS)
    await kidsOf(source())
    const looks = publisher.looks()
    pass(forSeconds * SECOND_MS - 1)
    await kidsOf(source())
    t.equal(publisher.looks(), looks, `${control}: fresh`)
    pass(1)
    await kidsOf(source())
    t.equal(publisher.looks(), looks + 1, `${control}: stale`)
  }
})

test('a key that is not known yet is looked for, once in 10 s', async (t) => {
  const publisher = await startPublisher(t)
  const { source, pass } = openAt(publisher.uri)
  await kidsOf(source())
  t.equal(await source().renewed(), undefined, 'it has just been looked at')
  publisher.publish(KEY, jwkOf('two'))
  pass(10 * SECOND_MS)
  const found = await Promise.all(Array.from({ length: 40 }, () => source().renewed()))
  for (const keys of found) t.equal(keys?.length, 2)
  t.equal(publisher.looks(), 2)
  pass(10 * SECOND_MS - 1)
  t.equal(await source().renewed(), undefined)
  t.equal(publisher.looks(), 2)
})

test('while the publisher is away its keys stay good for an hour, and it is asked once in 10 s', async (t) => {
  const publisher = await startPublisher(t)
  const { source, pass, failures } = openAt(publisher.uri)
  await kidsOf(source())
  publisher.answerWith((response) => response.writeHead(503).end())
  pass(300 * SECOND_MS)
  for (let seconds = 0; seconds < 30; seconds += 1) {
    t.strictSame(await kidsOf(source()), ['one'])
    pass(SECOND_MS)
  }
  t.equal(publisher.looks(), 4)
  t.strictSame(failures, ['status_503', 'status_503', 'status_503'])
  pass(HOUR_MS - 30 * SECOND_MS - 1)
  t.strictSame(await kidsOf(source()), ['one'], 'until the very end')
  pass(1)
  t.equal(await kidsOf(source()), undefined)
  publisher.publish(KEY)
  t.equal(await kidsOf(source()), undefined, 'the failure is remembered')
  pass(10 * SECOND_MS)
  t.strictSame(await kidsOf(source()), ['one'])
})

test('a publisher that turns to another protocol has failed, and is asked again', async (t) => {
  const server = await startRawServer(t)
  server.answerWith(SWITCHING)
  const { source, pass, failures } = openAt(server.url)
  t.equal(await kidsOf(source()), undefined)
  t.equal(await kidsOf(source()), undefined, 'the failure is remembered')
  t.equal(server.connections(), 1)
  const jwks = JSON.stringify({ keys: [KEY] })
  server.answerWith((socket) => socket.end(`HTTP/1.1 200 OK\r\n\r\n${jwks}`))
  pass(10 * SECOND_MS)
  t.strictSame(await kidsOf(source()), ['one'])
  t.strictSame(failures, ['failed'])
})

test('what is no set of keys of a bounded size, given in time, is none', async (t) => {
  const publisher = await startPublisher(t)
  const many = Array.from({ length: 101 }, () => ({ kty: 'oct' }))
  const filler = ' '.repeat(64 * 1024)
  const cases: [string, (response: ServerResponse) => void][] = [
    ['status_302', (response) => response.writeHead(302, { location: publisher.uri }).end()],
    ['status_404', (response) => response.writeHead(404).end()],
    ['no_jwks', (response) => response.end('<html>')],
    ['no_jwks', (response) => response.end('{"keys":{}}')],
    ['no_jwks', (response) => response.end('{"keys":[],"keys":[]}')],
    ['too_many_keys', (response) => response.end(JSON.stringify({ keys: many }))],
    ['too_large', (response) => grow(response, filler)],
    ['ECONNRESET', (response) => response.destroy()],
    ['HPE_INVALID_CHUNK_SIZE', (response) => writeNoChunk(response)],
    ['HPE_HEADER_OVERFLOW', (response) => response.writeHead(200, { x: 'a'.repeat(20_000) }).end()],
  ]
  for (const [problem, answer] of cases) {
    publisher.answerWith(answer)
    t.strictSame(await fetchJwks(publisher.uri, true), { problem })
  }
  const hanging: [string, (response: ServerResponse) => void][] = [
    ['before its headers', () => {}],
    ['before its body', (response) => response.writeHead(200).flushHeaders()],
    ['within its body', (response) => response.write('{"keys":[')],
    ['at the end of its body', (response) => writeToTheEnd(response)],
  ]
  for (const [where, answer] of hanging) {
    publisher.answerWith(answer)
    t.strictSame(
      await fetchJwks(publisher.uri, true, { timeoutMs: 200 }),
      { problem: 'timeout' },
      where,
    )
  }
})

/** A body that ends with the connection, which it leaves open. */
function writeToTheEnd(response: ServerResponse): void {
  response.socket?.write(`HTTP/1.1 200 OK\r\n\r\n${JSON.stringify({ keys: [KEY] })}`)
}

/** In one piece with the headers. */
function writeNoChunk(response: ServerResponse): void {
  response.socket?.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno length')
}

/** Writes for as long as it is read. */
function grow(response: ServerResponse, filler: string): void {
  const more = (): void => {
    while (!response.destroyed && response.write(filler)) {}
  }
  response.on('drain', more)
  more()
}

test('keys that we cannot use are passed over', async (t) => {
  const publisher = await startPublisher(t)
  publisher.publish({ kty: 'oct', k: 'a' }, 'key', { ...KEY, use: 'enc' }, KEY, {
    ...KEY,
    d: 'AQAB',
  })
  const { keys } = await fetchJwks(publisher.uri, true)
  t.equal(keys?.length, 1)
})

test('nothing leads to a private address without leave, nor plain http off this machine', async (t) => {
  const publisher = await startPublisher(t)
  const { port } = new URL(publisher.uri)
  const refused = async (uri: string, allowPrivateNetwork: boolean, problem: string) =>
    t.strictSame(await fetchJwks(uri, allowPrivateNetwork), { problem }, uri)
  for (const host of ['127.0.0.1', 'localhost', '[::1]', '10.0.0.1', '169.254.169.254']) {
    await refused(`http://${host}:${port}/`, false, 'url_refused')
  }
  for (const host of ['10.0.0.1', '169.254.169.254', 'keys.example', 'localhost.example']) {
    await refused(`http://${host}/`, true, 'url_refused')
  }
  for (const host of ['127.0.0.1', '2130706433', '[::ffff:127.0.0.1]', '192.168.0.1']) {
    await refused(`https://${host}/`, false, 'url_refused')
  }
  await refused(`https://localhost:${port}/`, false, 'address_refused')
  await refused('ftp://keys.example/', true, 'url_refused')
  t.equal(publisher.looks(), 0)
})

test('what was found with leave is not shown to who has none', async (t) => {
  const publisher = await startPublisher(t)
  const remote = openRemoteKeys({ onFailed: () => {} })
  t.equal((await remote.at(publisher.uri, true).current())?.length, 1)
  t.equal(await remote.at(publisher.uri, false).current(), undefined)
})
