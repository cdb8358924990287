// One line for a burst of callers who waited or were turned away, with what came since the last one.

import { test } from 'tap'
import { createLogger } from '../../src/ops/logger.ts'
import { openQueueLog } from '../../src/ops/queue-log.ts'
import { until } from '../support/until.ts'

test('a burst is one line, and the next line has only what came since', async (t) => {
  const lines: Record<string, unknown>[] = []
  const logger = createLogger('info', { write: (line) => void lines.push(JSON.parse(line)) })
  const load = { size: 9, busy: 9, waiting: 3, waits: 0, waitSeconds: 0, turnedAway: 0 }
  const log = openQueueLog(logger, () => load, { everyMs: 2, firstMs: 1 })
  for (let count = 0; count < 300; count += 1) {
    Object.assign(load, { waits: load.waits + 1, waitSeconds: load.waitSeconds + 0.5 })
    log.congested()
  }
  await until('a line', () => lines.length === 1)
  t.match(lines[0], { event: 'database.queue', level: 'warn', size: 9, busy: 9, waiting: 3 })
  t.match(lines[0], { waits: 300, waitSeconds: 150, turnedAway: 0 })
  Object.assign(load, { busy: 1, waiting: 0, turnedAway: 7 })
  log.congested()
  await until('another one', () => lines.length === 2)
  t.match(lines[1], { busy: 1, waiting: 0, waits: 0, waitSeconds: 0, turnedAway: 7 })
})
