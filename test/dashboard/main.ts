// `npm run dashboard`: draws the dashboard of deploy/grafana from a run of some minutes, for the folder
// docs/images. It takes Debian's prometheus, a redis-server and the tests' PostgreSQL.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { requirePrograms } from '../interop/gateways/debian-package.ts'
import { ROOT } from '../support/repository-text.ts'
import { openScope } from '../support/scope.ts'
import { readDashboard } from './dashboard-file.ts'
import { drawDashboard } from './draw/draw-dashboard.ts'
import { askPanels, putUnderLoad, startWatchedRun } from './watched-run.ts'

/** As many as the width of a panel shows. */
const MOMENTS = 90

const { values } = parseArgs({
  options: {
    /** Of ordinary load, before and after what goes wrong. */
    seconds: { type: 'string', default: '45' },
    out: { type: 'string', default: join(ROOT, 'docs/images/dashboard.svg') },
  },
})
const pauseMs = Number(values.seconds) * 1000
const scope = openScope()
try {
  const run = await startWatchedRun(scope, requirePrograms({ prometheus: '/usr/bin/prometheus' }))
  const load = await putUnderLoad(scope, run)
  await delay(pauseMs)
  await load.crowd()
  await delay(pauseMs)
  await load.end()
  const { fromSeconds, toSeconds } = run.span()
  const stepSeconds = Math.ceil((toSeconds - fromSeconds) / MOMENTS)
  const span = { fromSeconds, toSeconds, stepSeconds }
  writeFileSync(values.out, drawDashboard(readDashboard(), await askPanels(run, span), span))
  console.log(values.out)
} finally {
  await scope.close()
}
