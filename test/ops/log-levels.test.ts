// A level for each concern: what is hidden and what is shown, by events, request lines and the lines
// of others.

import { test } from 'tap'
import { LOG_EVENTS, type LogEvent, logEvent } from '../../src/ops/log-events.ts'
import { type ConcernLevels, isEventWritten, LOG_CONCERNS } from '../../src/ops/log-levels.ts'
import { createLogger } from '../../src/ops/logger.ts'
import { openRequestLines } from '../../src/ops/request-line.ts'
import type { LogThreshold } from '../../src/runtime/log-level.ts'

const EVENTS = Object.keys(LOG_EVENTS) as LogEvent[]

function open(level: LogThreshold, concerns: Record<string, LogThreshold> = {}) {
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  const levels: ConcernLevels = new Map(Object.entries(concerns))
  const logger = createLogger(level, { write }, { concerns: levels })
  return { logger, names: () => lines.map((line) => JSON.parse(line).event) }
}

/** The events that are written out of all, by the logger itself and by a child of it. */
function writtenOf(level: LogThreshold, concerns?: Record<string, LogThreshold>): LogEvent[] {
  const { logger, names } = open(level, concerns)
  for (const event of EVENTS) logEvent(logger, event)
  const child = logger.child({ reqId: '1' })
  for (const event of EVENTS) logEvent(child, event)
  const half = names().length / 2
  if (names().slice(0, half).join() !== names().slice(half).join())
    throw new Error('a child differs')
  for (const event of EVENTS) {
    const isTold = isEventWritten(child, event)
    if (isTold !== names().includes(event)) throw new Error(`${event} is told to be ${isTold}`)
  }
  return names().slice(0, half)
}

test('a concern is hidden or shown by its own level, and nothing else is', async (t) => {
  const all = writtenOf('info')
  t.strictSame(all, EVENTS)
  t.strictSame(
    writtenOf('info', { request: 'warn' }),
    EVENTS.filter((event) => !event.startsWith('request.') || event === 'request.failed'),
  )
  t.strictSame(
    writtenOf('info', { dependency: 'silent' }),
    EVENTS.filter((event) => !event.startsWith('dependency.')),
  )
  t.strictSame(writtenOf('silent', { mail: 'debug' }), [
    ...['mail.sent', 'mail.delayed', 'mail.failed', 'mail.dropped'],
  ])
  const warnings = writtenOf('warn')
  t.strictSame(
    writtenOf('warn', { dependency: 'info' }),
    EVENTS.filter((event) => warnings.includes(event) || event === 'dependency.up'),
  )
})

test('security is every event of the trail, and a concern by its own name goes before it', async (t) => {
  const written = writtenOf('silent', { security: 'info' })
  t.ok(written.includes('webhook.created'))
  t.notOk(written.includes('webhook.failed'), 'which is no event of the trail')
  t.notOk(written.includes('request.refused'))
  t.strictSame(writtenOf('silent', { security: 'info', user: 'silent', login: 'warn' }), [
    ...written.filter((event) => !/^(user|login)\./.test(event)),
  ])
})

test('the line of a request has the level of its concern', async (t) => {
  const line = {
    ...{
      id: '1',
      isIdGiven: false,
      traceparent: undefined,
      clientId: undefined,
      grant: undefined,
      refusal: undefined,
      method: 'GET',
      route: '/livez',
    },
    ...{ status: 200, durationMs: 1 },
  }
  for (const [level, concerns, isShown] of [
    ['info', { request: 'warn' }, false],
    ['error', { request: 'info' }, true],
    ['error', { security: 'info' }, false],
  ] as const) {
    const { logger, names } = open(level, concerns)
    openRequestLines(logger)(line)
    t.strictSame(names(), isShown ? ['request.completed'] : [], JSON.stringify(concerns))
  }
})

test('what is no event has the level of the log, however low that of a concern', async (t) => {
  const { logger, names } = open('warn', { request: 'trace' })
  logger.info('of somebody else')
  logger.info({ event: 'none.of_ours' })
  logger.warn({ event: 'none.of_ours' })
  logger.debug({ event: 'request.completed' })
  t.strictSame(names(), ['none.of_ours', 'request.completed'])
})

test('every concern is named once, and security is one of them', async (t) => {
  t.equal(new Set(LOG_CONCERNS).size, LOG_CONCERNS.length)
  for (const name of ['request', 'dependency', 'webhook', 'mail', 'login', 'refresh', 'security']) {
    t.ok(LOG_CONCERNS.includes(name), name)
  }
})
