// Whatever is sent, the number of series stays the same: 10,000 strange methods, paths, clients and
// grant types.

import { METHODS } from 'node:http'
import { type Test, test } from 'tap'
import { startApp, type TestApp } from '../support/app.ts'
import { basic, exchange, FORM, write } from '../support/hostile-wire.ts'

const STRANGE = 10_000
/** In one go over a connection each. */
const BATCH = 50

/** Every series of ours by its name and labels. */
async function listSeries({ fetch }: TestApp): Promise<Set<string>> {
  const text = await (await fetch('/metrics')).text()
  const lines = text.split('\n').filter((line) => line.startsWith('lineage_'))
  return new Set(lines.map((line) => line.slice(0, line.lastIndexOf(' '))))
}

/** One request of each kind of strangeness, so that their bounded series are there. */
async function sendStrange(app: TestApp, from: number, count: number): Promise<void> {
  const requests = Array.from({ length: count }, (_, index) => strange(from + index))
  await Promise.all(requests.map((bytes) => exchange(app.url, bytes)))
}

function strange(index: number): Buffer {
  const odd = `x${index.toString(36)}-${'y'.repeat(index % 50)}`
  const methods = METHODS.filter((method) => method !== 'CONNECT' && method !== 'HEAD')
  const form = [FORM]
  switch (index % 5) {
    case 0:
      return write(`${methods[index % methods.length]} /${odd}`, ['Content-Length: 0'])
    case 1:
      return write(`${methods[index % methods.length]} /token`, ['Content-Length: 0'])
    case 2:
      return write('POST /token', form, `grant_type=${odd}&client_id=${odd}`)
    case 3:
      return write(
        'POST /token',
        [...form, basic(`${odd}:${odd}`)],
        'grant_type=client_credentials',
      )
    default:
      return write('GET /users/me', [`Authorization: Bearer ${odd}`, `X-Request-Id: ${odd}`])
  }
}

test('10,000 strange requests make no series that 500 of them have not made', async (t: Test) => {
  const app = await startApp(t, { config: { throttle: 'off' } })
  // Reading them makes the series of the reader.
  await listSeries(app)
  let sent = 0
  const send = async (count: number) => {
    for (const end = sent + count; sent < end; sent += BATCH) await sendStrange(app, sent, BATCH)
  }
  await send(500)
  const before = await listSeries(app)
  await send(STRANGE - 500)
  const after = await listSeries(app)
  t.strictSame(
    [...after].filter((series) => !before.has(series) && isOfRequests(series)),
    [],
  )
  t.ok(after.size < 1_500, `${after.size} series`)
  t.notOk(
    [...after].some((series) => series.includes('x1')),
    'nothing of what was sent',
  )
})

/** Background work may begin a series of its own meanwhile. */
function isOfRequests(series: string): boolean {
  return !series.startsWith('lineage_dependency_') && !series.startsWith('lineage_signing_key')
}
