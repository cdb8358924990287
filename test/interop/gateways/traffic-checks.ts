// What passes through a gateway unharmed, what does not pass at all, and what becomes of requests
// while Lineage or its Redis is away.

import type { Test } from 'tap'
import { until } from '../../support/until.ts'
import { ask, type Subject } from './checks.ts'

const BODY_BYTES = 300_000

export async function checkBodies(t: Test, subject: Subject): Promise<void> {
  const { path, present, tokens, scene } = subject
  const headers = present(tokens.user.access_token)
  const body = Buffer.alloc(BODY_BYTES, 'all of it ')
  for (const method of ['POST', 'PUT', 'PATCH']) {
    const { answer, arrived } = await ask(subject, { method, path: `${path}1`, headers, body })
    t.equal(answer.status, 200, method)
    t.ok(arrived?.body.equals(body), `${method}: every byte`)
  }
  const chunked = await ask(subject, {
    method: 'POST',
    path: `${path}1`,
    headers: [...headers, ['Transfer-Encoding', 'chunked']],
  })
  t.equal(chunked.answer.status, 200, 'an empty body in chunks')
  const refused = await ask(subject, { method: 'POST', path: `${path}1`, body })
  t.equal(refused.arrived, undefined)
  t.ok(scene.passage.received.every((one) => /^\/introspect/.test(one.url) || !one.body.length))
}

/** Each passes as it is, for nobody reads any of them as another path. */
const PLAIN_PATHS = [
  '1',
  '1?of=it&and=a//b/../c',
  '1?encoded=%2F%2e%2e%2f&empty=',
  'a%20b',
  'caf%C3%A9',
  '%252e%252e/1',
  '.hidden',
  'a..b',
  'with.dots/and~tildes',
]

/** Some upstream would read each of them as a path of the drafts. */
const DECEPTIVE_PATHS = [
  '/notes/../drafts/1',
  '/notes/%2e%2e/drafts/1',
  '/notes/%2E./drafts/1',
  '/notes/..%2fdrafts/1',
  '/notes%2f..%2fdrafts/1',
  '/notes/./../drafts/1',
  '/notes/..;/drafts/1',
  '/notes/..;a=b/drafts/1',
  '/notes/..%3b/drafts/1',
  '/notes/..\\drafts/1',
  '/notes/..%5cdrafts/1',
  '/notes/..%5Cdrafts/1',
  '/notes//../drafts/1',
  '//drafts/1',
  '/./drafts/1',
  '/%2e/drafts/1',
  '/drafts%2f1',
  '/%64rafts/1',
  '/notes/..',
  '/notes/1%00/../../drafts/1',
  '/notes/x/..#',
  '/notes/1#/../../drafts/1',
  '/notes/1#?/../../drafts/1',
]

export async function checkPaths(t: Test, subject: Subject): Promise<void> {
  const { path, present, tokens } = subject
  const headers = present(tokens.user.access_token)
  for (const rest of PLAIN_PATHS) {
    const { answer, arrived } = await ask(subject, { path: `${path}${rest}`, headers })
    t.equal(answer.status, 200, rest)
    t.equal(arrived?.url, `${path}${rest}`, 'the upstream sees what was sent')
  }
  // It is the path that is let in, in another spelling, in which nobody writes it.
  const spelt = path.replace('o', '%6f')
  const { arrived: escaped } = await ask(subject, { path: `${spelt}1`, headers })
  if (escaped) t.equal(escaped.url, `${spelt}1`, 'the upstream sees what was sent, or nothing')
  for (const deceptive of DECEPTIVE_PATHS) {
    const { answer, arrived } = await ask(subject, { path: deceptive, headers })
    t.ok(answer.status >= 400 && answer.status < 500, `${deceptive}: ${answer.status}`)
    t.equal(arrived, undefined, deceptive)
  }
  for (const unlisted of ['/', '/other', '/notes', '/notes.json', '/Notes/1', '/verify?scope=']) {
    const { answer, arrived } = await ask(subject, { path: unlisted, headers })
    t.ok(answer.status >= 300 && answer.status < 500, `${unlisted}: ${answer.status}`)
    t.equal(arrived, undefined, `${unlisted} is not let through`)
  }
}

/** What the upstream says of itself is no business of the gateway's. */
export async function checkUpstreamAnswers(t: Test, subject: Subject): Promise<void> {
  const headers = subject.present(subject.tokens.user.access_token)
  for (const status of [201, 204, 401, 403, 404, 500, 503]) {
    const { answer } = await ask(subject, { path: `${subject.path}1?status=${status}`, headers })
    t.equal(answer.status, status)
    t.strictSame(answer.all('x-upstream'), ['reached'])
    t.strictSame(answer.all('www-authenticate'), [], 'no challenge that the upstream did not give')
  }
}

/** Ends with a Lineage that is gone. */
export async function checkOutages(t: Test, subject: Subject): Promise<void> {
  const { scene, path, present, tokens } = subject
  const headers = present(tokens.user.access_token)
  const expectUnavailable = async (when: string) => {
    const { answer, arrived } = await ask(subject, { path: `${path}1`, headers })
    t.equal(answer.status, 503, when)
    t.match(answer.all('retry-after'), [/^\d+$/], when)
    t.equal(arrived, undefined, when)
  }
  await scene.redis.stop()
  await expectUnavailable('Redis is down')
  await scene.redis.start()
  await until('a gateway that lets through again', async () => {
    return (await ask(subject, { path: `${path}1`, headers })).answer.status === 200
  })
  scene.lineage.signal('SIGSTOP')
  await expectUnavailable('Lineage hangs')
  scene.lineage.signal('SIGKILL')
  await scene.lineage.exited
  await expectUnavailable('Lineage is gone')
}
