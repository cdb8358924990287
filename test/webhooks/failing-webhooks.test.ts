// Which webhooks count as failing, and for how long.

import { test } from 'tap'
import { openFailingWebhooks } from '../../src/webhooks/failing-webhooks.ts'

const HOUR_MS = 60 * 60 * 1000

test('one that is not tried any more is forgotten after a day', async (t) => {
  let nowMs = 0
  const failing = openFailingWebhooks(() => nowMs)
  failing.note('deleted', false)
  failing.note('retried', false)
  failing.note('mended', false)
  nowMs += 23 * HOUR_MS
  failing.note('retried', false)
  failing.note('mended', true)
  t.strictSame(failing.ids(), ['deleted', 'retried'])
  nowMs += 2 * HOUR_MS
  t.strictSame(failing.ids(), ['retried'])
  t.strictSame([failing.has('deleted'), failing.has('retried')], [false, true])
})
