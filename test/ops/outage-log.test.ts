// One line when a dependency goes and one when it is back.

import { test } from 'tap'
import { createLogger } from '../../src/ops/logger.ts'
import { openOutageLog } from '../../src/ops/outage-log.ts'

test('an outage is told once, and its end once', async (t) => {
  const lines: { event: string; dependency: string; detail?: string }[] = []
  const logger = createLogger('debug', { write: (line) => void lines.push(JSON.parse(line)) })
  const outages = openOutageLog(logger)
  outages.succeeded('redis')
  t.strictSame(lines, [], 'what was never down is not up again')
  outages.failed('redis', { detail: 'connection refused' })
  outages.failed('redis', { detail: 'connection refused' })
  outages.failed('postgresql')
  outages.succeeded('redis')
  outages.succeeded('redis')
  outages.failed('redis')
  const told = lines.map(({ event, dependency }) => `${event} ${dependency}`)
  t.strictSame(told, [
    'dependency.down redis',
    'dependency.down postgresql',
    'dependency.up redis',
    'dependency.down redis',
  ])
  t.equal(lines[0]?.detail, 'connection refused')
})
