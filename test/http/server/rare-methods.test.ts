// Every method that Node.js reads, on every kind of path: each answer and each line of the log is about
// the method that the client sent, however many of them share their routes.

import { request as httpRequest, METHODS } from 'node:http'
import { test } from 'tap'
import { startApp, type TestApp } from '../../support/app.ts'
import { until } from '../../support/until.ts'

const SENT = METHODS.filter((method) => method !== 'CONNECT').sort()

function send(app: TestApp, method: string, path: string, body = '') {
  return new Promise<{ status: number | undefined; allow: string | undefined }>(
    (resolve, reject) => {
      const headers = body ? { 'content-type': 'text/plain', 'content-length': body.length } : {}
      const request = httpRequest(`${app.url}${path}`, { method, headers, agent: false })
      request.on('error', reject)
      request.on('response', (response) => {
        response.resume()
        resolve({ status: response.statusCode, allow: response.headers.allow })
      })
      request.end(body)
    },
  )
}

test('each method on a path that has others is 405 with Allow, and is logged as itself', async (t) => {
  const app = await startApp(t)
  for (const [path, allow] of [
    ['/token', 'POST'],
    ['/.well-known/jwks.json', 'GET, HEAD'],
    ['/admin/keys', 'GET, HEAD'],
  ] as const) {
    const others = SENT.filter((method) => !allow.split(', ').includes(method))
    for (const method of others) {
      t.strictSame(await send(app, method, path), { status: 405, allow }, `${method} ${path}`)
    }
    await until('a line for each', () => methodsLogged(app, 405, path).length === others.length)
    t.strictSame(methodsLogged(app, 405, path), others)
  }
})

test('each method on a path that nobody has is 404, with a body as well', async (t) => {
  const app = await startApp(t)
  for (const method of SENT) {
    // Fastify wants to know of what type the content of a QUERY is.
    const status = method === 'QUERY' ? 400 : 404
    t.equal((await send(app, method, '/nothing')).status, status, method)
    if (method !== 'TRACE') t.equal((await send(app, method, '/nothing', '{')).status, 404, method)
  }
})

test('/verify judges each method but TRACE, and sees the one that came', async (t) => {
  const app = await startApp(t)
  const judged = SENT.filter((method) => method !== 'TRACE')
  for (const [path, route] of [
    ['/verify', '/verify'],
    ['/verify/notes/1', '/verify/*'],
  ] as const) {
    for (const method of judged) {
      t.equal((await send(app, method, path)).status, 401, `${method} ${path}`)
    }
    const allow = judged.join(', ')
    t.strictSame(await send(app, 'TRACE', path), { status: 405, allow })
    await until('a line for each', () => methodsLogged(app, 401, route).length === judged.length)
    t.strictSame(methodsLogged(app, 401, route), judged)
  }
})

function methodsLogged({ log }: Pick<TestApp, 'log'>, status: number, route: string): unknown[] {
  return log
    .filter((line) => line.event === 'request.completed')
    .filter((line) => line.status === status && line.route === route)
    .map(({ method }) => method)
    .sort()
}
