// What `lineage doctor` says of whoever answers at the issuer's URL.

import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Test, test } from 'tap'
import { examineIssuer } from '../../../src/cli/doctor/issuer-findings.ts'

async function listen(t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('the issuer must answer as itself and serve the keys of the database', async (t) => {
  let issuer = ''
  issuer = await listen(t, ({ url }, response) => {
    const keys = [{ kid: 'a' }, { kid: 'b' }]
    response.end(JSON.stringify(url === '/.well-known/jwks.json' ? { keys } : { issuer }))
  })
  t.match(await examineIssuer(issuer, ['a']), [
    { check: 'issuer', status: 'ok' },
    { check: 'jwks', status: 'ok', detail: '2 served' },
  ])
  const stale = await examineIssuer(issuer, ['a', 'c'])
  t.match(stale, [{ status: 'ok' }, { check: 'jwks', status: 'fail', detail: /^1 of the keys/ }])
  t.match(await examineIssuer(`${issuer}/`, undefined), [
    { check: 'issuer', status: 'fail', detail: /calls itself otherwise/ },
    { check: 'jwks', status: 'skip' },
  ])
})

const WRONG: Record<string, [answer: RequestListener, problem: RegExp]> = {
  'a page': [(_request, response) => response.end('<html>'), /it is not JSON/],
  'no page': [(_request, response) => response.writeHead(404).end(), /status 404/],
  'a redirect, which is not followed': [
    (_request, response) => response.writeHead(302, { location: '/other' }).end(),
    /status 302/,
  ],
  'an endless answer': [(_request, response) => response.end(' '.repeat(300_000)), /too long/],
  'a closed connection': [({ socket }) => socket.destroy(), /UND_ERR_SOCKET|ECONNRESET/],
}

for (const [what, [answer, problem]] of Object.entries(WRONG)) {
  test(`${what} at the issuer is a warning that says so`, async (t) => {
    const findings = await examineIssuer(await listen(t, answer), [])
    t.match(findings, [{ status: 'warn', detail: problem, advice: /proxy/ }, { status: 'skip' }])
  })
}
