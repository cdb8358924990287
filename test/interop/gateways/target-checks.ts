// Whatever host a request names and however it does so, it is verified like any other.

import type { Test } from 'tap'
import { type Asked, askBytes, identityIn, identityOf, type Subject } from './checks.ts'

/** The first lines of requests that name no host, or one that nobody has heard of. */
function targets(path: string): Readonly<Record<string, readonly string[]>> {
  return {
    'a foreign host': [`GET ${path} HTTP/1.1`, 'Host: foreign.example.test'],
    'an empty host': [`GET ${path} HTTP/1.1`, 'Host:'],
    'no host': [`GET ${path} HTTP/1.0`],
    'the whole URL': [`GET http://foreign.example.test${path} HTTP/1.1`, 'Host: other.test'],
    'the whole URL, and its host': [
      `GET http://foreign.example.test${path} HTTP/1.1`,
      'Host: foreign.example.test',
    ],
  }
}

export async function checkTargets(t: Test, subject: Subject): Promise<void> {
  const token = subject.tokens.user.access_token
  const shown = subject.present(token).map(([name, value]) => `${name}: ${value}`)
  const answers: Record<string, number> = {}
  for (const [what, head] of Object.entries(targets(`${subject.path}1`))) {
    checkNothing(t, await askLines(subject, head), what)
    const { received } = subject.scene.passage
    const before = received.length
    const { answer, arrived } = await askLines(subject, [...head, ...shown])
    answers[what] = answer.status
    if (arrived) t.strictSame(identityIn(arrived), identityOf(token), what)
    else t.equal(received.length, before, `${what}: refused without a question, if at all`)
  }
  t.match(answers, { 'a foreign host': 200 })
  // Some answer this themselves, with an empty 200.
  const { answer, arrived } = await askLines(subject, ['OPTIONS * HTTP/1.1', 'Host: a', ...shown])
  t.equal(arrived, undefined, 'OPTIONS *')
  if (answer.status < 400) t.match(answer, { status: 200, body: '' })
}

function checkNothing(t: Test, { answer, arrived }: Asked, what: string): void {
  t.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status}`)
  t.equal(arrived, undefined, what)
}

async function askLines(subject: Subject, lines: readonly string[]): Promise<Asked> {
  return await askBytes(subject, [...lines, 'Connection: close', '', ''].join('\r\n'))
}

/** What no server takes is the fault of the caller, who is not told to come back later. */
export async function checkBadHeaders(t: Test, subject: Subject): Promise<void> {
  const shown = subject.present(subject.tokens.user.access_token)
  const long = Array.from({ length: 5 }, (_, at) => [`X-Long-${at}`, 'a'.repeat(3_500)] as const)
  for (const [what, added] of Object.entries({
    'a header with a control character': [['X-Bell', 'a\x07b']],
    'more headers than Lineage takes': long,
  } as const)) {
    const lines = [...shown, ...added].map(([name, value]) => `${name}: ${value}`)
    const head = [`GET ${subject.path}1 HTTP/1.1`, 'Host: a']
    const asked = await askLines(subject, [...head, ...lines])
    checkNothing(t, asked, what)
    t.strictSame(asked.answer.all('retry-after'), [], what)
  }
}
