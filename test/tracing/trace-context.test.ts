// Which trace a caller has sent: version 00 to the letter, later ones as far as they are known.

import { test } from 'tap'
import { readTraceparent, writeTraceparent } from '../../src/tracing/trace-context.ts'

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN_ID = '00f067aa0ba902b7'
const WHOLE = `00-${TRACE_ID}-${SPAN_ID}-01`

test('what is a traceparent', async (t) => {
  const expected = { traceId: TRACE_ID, spanId: SPAN_ID, isRemote: true }
  t.strictSame(readTraceparent(WHOLE), { ...expected, traceFlags: 1 })
  t.strictSame(readTraceparent(WHOLE.replace(/01$/, '00')), { ...expected, traceFlags: 0 })
  t.strictSame(readTraceparent(WHOLE.replace(/01$/, 'fe')), { ...expected, traceFlags: 0 })
  t.strictSame(readTraceparent(WHOLE.replace(/^00/, 'cc')), { ...expected, traceFlags: 1 })
  t.strictSame(readTraceparent(`${WHOLE.replace(/^00/, '01')}-more`), {
    ...expected,
    traceFlags: 1,
  })
  const own = { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1 }
  t.equal(writeTraceparent(own), WHOLE)
  t.equal(writeTraceparent({ ...own, traceFlags: 0 }), WHOLE.replace(/01$/, '00'))
})

test('what is none', async (t) => {
  const wrong = [
    undefined,
    '',
    'x',
    WHOLE.toUpperCase(),
    ` ${WHOLE}`,
    `${WHOLE}, ${WHOLE}`,
    `${WHOLE}-more`,
    WHOLE.replace(/^00/, 'ff'),
    WHOLE.replace(TRACE_ID, '0'.repeat(32)),
    WHOLE.replace(SPAN_ID, '0'.repeat(16)),
    WHOLE.slice(1),
    WHOLE.replace(/^00/, '01').concat('x'),
    `${WHOLE.replace(/^00/, '01')}-${'x'.repeat(600)}`,
  ]
  for (const text of wrong) t.equal(readTraceparent(text), undefined, String(text))
})
