// A request of ours comes to an end whatever bytes it is answered with.

import { type Test, test } from 'tap'
import { openAnswer, wordOf } from '../../src/outbound/open-answer.ts'
import { EARLY_HINTS, SWITCHING, startRawServer, writeForEver } from '../support/raw-server.ts'

const never = new AbortController().signal
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'

async function startAsked(t: Test) {
  const { answerWith, url } = await startRawServer(t)
  return {
    answerWith,
    async ask(signal = never, body = ''): Promise<number | string | undefined> {
      const wanted = { url: new URL(url), mayReach: () => true, headers: {}, body, signal }
      try {
        const answer = await openAnswer(wanted)
        answer.destroy()
        return answer.statusCode
      } catch (error) {
        return signal.aborted ? String(signal.reason) : wordOf(error)
      }
    },
  }
}

test('what is no answer is a failure, and every other an answer', async (t) => {
  const { answerWith, ask } = await startAsked(t)
  const cases: [string, string, number | string][] = [
    ['another protocol', SWITCHING, 'failed'],
    ['another protocol after hints', `${EARLY_HINTS}${SWITCHING}`, 'failed'],
    ['another protocol that has no name', 'HTTP/1.1 101 Switching\r\n\r\n', 101],
    ['hints before the answer', `${EARLY_HINTS.repeat(16)}${OK}`, 200],
    ['too many hints', `${EARLY_HINTS.repeat(17)}${OK}`, 'too_many_interim'],
    ['a status that does not exist', OK.replace('200', '999'), 999],
    ['the least status', OK.replace('200', '000'), 0],
    ['a body where there is none', `${OK.replace('200', '204')}hello`, 204],
    ['no HTTP', 'hello\r\n', 'HPE_INVALID_CONSTANT'],
  ]
  for (const [what, bytes, expected] of cases) {
    answerWith(bytes)
    t.equal(await ask(), expected, what)
  }
})

test('an answer that never comes or never begins ends as well', async (t) => {
  const { answerWith, ask } = await startAsked(t)
  answerWith((socket) => socket.end())
  t.equal(await ask(), 'ECONNRESET', 'an end in place of an answer')
  answerWith((socket) => socket.end('HTTP/1.1 200 OK\r\nx: '))
  t.equal(await ask(), 'ECONNRESET', 'an end within the headers')
  answerWith(writeForEver(EARLY_HINTS))
  t.equal(await ask(), 'too_many_interim', 'hints without an end')
  answerWith((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n')
    writeForEver('x: 1\r\n')(socket)
  })
  t.equal(await ask(), 'HPE_HEADER_OVERFLOW', 'headers without an end')
  answerWith(SWITCHING)
  t.equal(await ask(never, 'x'.repeat(10_000_000)), 'failed', 'while the body is still sent')
})

test('an abort ends it at once, before it begins and under way', async (t) => {
  const { answerWith, ask } = await startAsked(t)
  t.equal(await ask(AbortSignal.abort('early')), 'early')
  const controller = new AbortController()
  answerWith(() => controller.abort('later'))
  t.equal(await ask(controller.signal), 'later')
})
