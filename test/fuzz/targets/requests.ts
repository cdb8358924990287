// What headers say besides credentials: ids of traces, demands of gateways, entity tags, when to come back.

import { matchOf } from '../../../src/http/admin/entity-tag.ts'
import { ApiError } from '../../../src/http/server/api-error.ts'
import { requestIdOf, traceparentOf } from '../../../src/http/server/request-trace.ts'
import { sendCacheable } from '../../../src/http/server/send-cacheable.ts'
import { parseHeaderDemands } from '../../../src/http/verify/verify-demands.ts'
import { parseRetryAfter } from '../../../src/outbound/retry-after.ts'
import { cacheableBody, entityTagOf } from '../../../src/runtime/cacheable-body.ts'
import { readTraceparent, writeTraceparent } from '../../../src/tracing/trace-context.ts'
import { type FuzzTarget, headerOf, holds, isSame, unlessRefused } from '../fuzz-target.ts'

const trace: FuzzTarget = {
  name: 'trace-headers',
  covers: [
    'src/tracing/trace-context.ts readTraceparent',
    'src/http/server/request-trace.ts traceparentOf',
    'src/http/server/request-trace.ts requestIdOf',
  ],
  encoding: 'latin1',
  seeds: [
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03-x',
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    '2f1c0e6a-7c58-4c0c-9d3d-0f3f6f2f0a11',
  ],
  tokens: ['-', '00-', 'ff', '0'.repeat(16), 'A', '-01', ','],
  check(input) {
    const text = headerOf(input)
    const span = readTraceparent(text)
    const kept = traceparentOf({ headers: { traceparent: text } })
    const id = requestIdOf({ headers: { 'x-request-id': text } })
    holds(id === text || /^[0-9a-f-]{36}$/.test(id), 'an id of the caller or a new one')
    holds(/^[\w.:-]{1,128}$/.test(id), 'an id of plain characters')
    if (kept !== undefined) holds(span !== undefined, 'what is passed on is read')
    if (!span) return false
    const [version, traceId, spanId, flags] = text.split('-')
    isSame([span.traceId, span.spanId], [traceId, spanId], 'the ids')
    holds(
      version !== 'ff' && !/^0+$/.test(span.traceId) && !/^0+$/.test(span.spanId),
      'a version and ids that are allowed',
    )
    isSame(span.traceFlags, Number.parseInt(flags ?? '', 16) & 1, 'the flag')
    const again = readTraceparent(writeTraceparent(span))
    isSame(again, span, 'a parent that was written again')
    return true
  },
}

const DEMANDS = ['x-auth-require-scope', 'x-auth-require-audience', 'x-auth-cookie'] as const

const demands: FuzzTarget = {
  name: 'header-demands',
  covers: ['src/http/verify/verify-demands.ts parseHeaderDemands'],
  encoding: 'latin1',
  // A line for each of the headers.
  seeds: ['a b\nhttps://a.test\n1', 'a,b\n\n1', ' \nx\n0', 'a"\nb\u00a0c\n'],
  tokens: [' ', ',', '\n', '1', '"', '\\', '\xa0', 'https://'],
  check(input) {
    const lines = input
      .toString('latin1')
      .split('\n')
      .map((line) => headerOf(Buffer.from(line, 'latin1')))
    const headers = Object.fromEntries(
      DEMANDS.flatMap((name, index) => (lines[index] === undefined ? [] : [[name, lines[index]]])),
    )
    const found = parseHeaderDemands(headers)
    if (!found) return false
    const words = (index: number) => (lines[index] ?? '').split(' ').filter(Boolean)
    isSame([found.scopes, found.audiences], [words(0), words(1)], 'scopes and audiences')
    isSame(found.acceptsCookie, lines[2] === '1', 'the cookie')
    holds(
      !lines.slice(0, 3).some((line) => line.includes(',') || line === ''),
      'each once, none empty',
    )
    return true
  },
}

const STATE = { a: 1 }
const TAG = entityTagOf(JSON.stringify(STATE))
const body = cacheableBody('{"a":1}', 300)

const tags: FuzzTarget = {
  name: 'entity-tags',
  covers: [
    'src/http/admin/entity-tag.ts matchOf',
    'src/http/server/send-cacheable.ts sendCacheable',
  ],
  encoding: 'latin1',
  seeds: [TAG, `W/${TAG}`, '*', `"x", ${TAG}`, `"x,${TAG}"`, ' * ', `${TAG}x`],
  tokens: [TAG, 'W/', ',', '*', '"', ' ', '\t', '\xa0', '""'],
  check(input) {
    const text = headerOf(input)
    const isMatch = unlessRefused(
      () => {
        const request = { headers: { 'if-match': text } } as Parameters<typeof matchOf>[0]
        matchOf(request)(STATE)
        return true
      },
      (error) => error instanceof ApiError && error.status === 412,
    )
    const items = text.split(',').map((item) => item.replace(/^[ \t]+|[ \t]+$/g, ''))
    isSame(
      isMatch ?? false,
      text === '*' || items.includes(TAG),
      'a match is strong (RFC 9110 §13.1.1)',
    )
    const isKnown = items.some((item) => item === '*' || item === TAG || item === `W/${TAG}`)
    isSame(statusFor(text), isKnown ? 304 : 200, 'what is known is not sent (RFC 9110 §13.1.2)')
    return isMatch ?? false
  },
}

/** Of the answer to a request with this `If-None-Match`. */
function statusFor(known: string): number {
  let status = 200
  const reply = {
    header: () => reply,
    type: () => reply,
    send: () => reply,
    code: (code: number) => {
      status = code
      return reply
    },
  }
  const request = { headers: { 'if-none-match': known } }
  sendCacheable(request, reply as unknown as Parameters<typeof sendCacheable>[1], 'a/b', body)
  return status
}

const NOW = Date.UTC(2026, 0, 1)

const retry: FuzzTarget = {
  name: 'retry-after',
  covers: ['src/outbound/retry-after.ts parseRetryAfter'],
  encoding: 'latin1',
  seeds: [
    '120',
    'Thu, 01 Jan 2026 00:02:00 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT',
    '-1',
    '1.5',
    '1e9',
    '9999999999',
  ],
  tokens: ['GMT', 'Jan', ', ', ':', '99', '0', '+', '-', 'e', '\xa0'],
  lengthMax: 128,
  check(input) {
    const text = headerOf(input)
    const seconds = parseRetryAfter(text, NOW)
    if (seconds === undefined) return false
    holds(Number.isInteger(seconds) && seconds >= 0, 'whole seconds')
    const stated = /^\d+$/.test(text) ? Number(text) : Math.max(0, (Date.parse(text) - NOW) / 1000)
    isSame(seconds, stated, 'the time that is stated')
    return true
  },
}

export const REQUEST_TARGETS: readonly FuzzTarget[] = [trace, demands, tags, retry]
