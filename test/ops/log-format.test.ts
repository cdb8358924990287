// Lines for people: what they look like, and that nothing in them controls a terminal or tells more
// than JSON does.

import { test } from 'tap'
import { chooseLogFormat } from '../../src/ops/log-format.ts'
import { createLogger } from '../../src/ops/logger.ts'

/** What is written for what `log` logs. */
function format(
  log: (logger: ReturnType<typeof createLogger>) => void,
  env: Record<string, string> = { NO_COLOR: '1' },
): string {
  const { format: pretty } = chooseLogFormat('pretty', { env, isTerminal: true })
  let text = ''
  const write = (line: string) => {
    text += pretty?.(line)
  }
  log(createLogger('trace', { write }, { base: { worker: 3 } }))
  return text
}

/** Without the time, which nobody knows before. */
const withoutTime = (text: string): string => text.replaceAll(/^[\d:.]{12} /gm, '')

test('time, level, worker, event, then the fields by their names', async (t) => {
  const text = format((logger) => {
    logger.warn({
      event: 'dependency.down',
      dependency: 'redis',
      detail: { count: 2 },
      note: 'a b',
    })
    logger.info('only words')
  })
  t.match(text, /^\d\d:\d\d:\d\d\.\d{3} WARN /)
  t.equal(
    withoutTime(text),
    'WARN  [3] dependency.down dependency=redis detail={"count":2} note="a b"\n' +
      'INFO  [3] only words\n',
  )
})

test('of a request method, route, status and time come first, ids last', async (t) => {
  const line = {
    ...{ level: 'info', time: '2026-11-30T01:02:03.004Z', reqId: 'abc', traceId: 'f'.repeat(32) },
    ...{ traceparent: 'long', event: 'request.completed', method: 'POST', route: '/token' },
    ...{
      status: 400,
      durationMs: 12,
      clientId: 'shop',
      grant: 'password',
      outcome: 'invalid_grant',
    },
  }
  const { format: pretty } = chooseLogFormat('pretty', { env: { TERM: 'dumb' }, isTerminal: true })
  t.equal(
    pretty?.(`${JSON.stringify(line)}\n`),
    `01:02:03.004 INFO  request.completed POST /token 400 12ms traceId=${'f'.repeat(32)} ` +
      'clientId=shop grant=password outcome=invalid_grant reqId=abc\n',
  )
})

test('an error has its causes and frames below it', async (t) => {
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
  const text = format((logger) => {
    logger.error({ event: 'request.failed', err: new Error('no answer', { cause }) })
  })
  const [line, ...below] = withoutTime(text).trimEnd().split('\n')
  t.equal(line, 'ERROR [3] request.failed')
  t.match(below[0], /^ {4}err: Error: no answer$/)
  t.match(below[1], /^ {6}at .*:\d+:\d+\)?$/)
  t.ok(below.includes('    caused by: Error: refused (ECONNREFUSED)'))
})

test('nothing that others chose controls the terminal', async (t) => {
  const text = format((logger) => {
    const odd = '\u001b]0;owned\u0007 \u009b31m \u202e \u2028 \ud800 \r\n'
    logger.warn({ event: odd, [`key ${odd}`]: odd, userAgent: odd, list: [odd], msg: odd })
    logger.warn(odd)
    logger.warn({ err: new Error(`kept ${odd}`) })
  })
  t.notMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
})

test('what is cut in JSON is cut here, also where escapes stood in its way', async (t) => {
  const token = `lrt_${'Ab-_9'.repeat(18)}`
  const text = format((logger) => {
    logger.info({ password: 'hunter2', note: `kept ${token}`, header: 'Bearer\tabcdefgh.ij' })
  })
  t.match(text, 'kept')
  for (const secret of ['hunter2', token, 'abcdefgh']) t.notOk(text.includes(secret), secret)
})

test('colours are for terminals that want them, and go off again', async (t) => {
  const log = (logger: ReturnType<typeof createLogger>) => logger.error({ event: 'mail.failed' })
  t.match(format(log, {}), '\u001b[31mERROR\u001b[0m')
  t.match(format(log, { NO_COLOR: '' }), '\u001b[31m')
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) t.notMatch(format(log, env), '\u001b')
})

test('what is no line of the log stays as it is', async (t) => {
  const { format: pretty } = chooseLogFormat('pretty', { env: {}, isTerminal: true })
  for (const text of ['\ncurl -s http://localhost\n', '{"not": "ours"}\n', '{broken\n', '\n']) {
    t.equal(pretty?.(text), text)
  }
})

test('without a terminal the log is JSON, which is told; with json nothing is', async (t) => {
  const piped = chooseLogFormat('pretty', { env: {}, isTerminal: false })
  t.equal(piped.format, undefined)
  t.match(piped.notices, [/^LOG_FORMAT is pretty, but standard output is no terminal/])
  for (const isTerminal of [true, false]) {
    t.strictSame(chooseLogFormat('json', { env: {}, isTerminal }), {
      format: undefined,
      notices: [],
    })
  }
})
