// How soon what one instance changes holds on the others.

import { test } from 'tap'
import { POLL_MS } from '../../src/wiring/housekeeping.ts'

test('two polls pass within the 5 s after which a change is in force everywhere', async (t) => {
  t.ok(2 * POLL_MS < 5_000)
})
