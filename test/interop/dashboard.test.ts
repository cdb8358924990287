// The dashboard and the rules on real data: Prometheus, of Debian, scrapes two instances of Lineage. Idle
// they raise no alert; under load, with an outage, every query of every panel has an answer.

import { test } from 'tap'
import { readDashboard } from '../dashboard/dashboard-file.ts'
import { askPanels, hasNumber, putUnderLoad, startWatchedRun } from '../dashboard/watched-run.ts'
import { until } from '../support/until.ts'
import { requirePrograms } from './gateways/debian-package.ts'

const PROMETHEUS = requirePrograms({ prometheus: '/usr/bin/prometheus' })

test('rules run without an error, raise nothing of idle instances, and every panel has data', async (t) => {
  const run = await startWatchedRun(t, PROMETHEUS)
  const { prometheus, seen } = run
  t.strictSame(await prometheus.brokenRules(), [])
  // A scrape that came too late on a busy machine leaves one that waits, for a moment.
  await until('no alert', async () => (await prometheus.alerts()).length === 0).catch(() => {})
  t.strictSame(await prometheus.alerts(), [], 'healthy instances that nobody uses')

  const load = await putUnderLoad(t, run)
  const panels = readDashboard().panels.filter(({ type }) => type !== 'row')
  const lacking = async () => {
    const answers = await askPanels(run, run.span())
    return panels.flatMap(({ id, title }) =>
      (answers.get(id) ?? [])
        .filter((answer) => !hasNumber(answer))
        .map(({ query }) => `${title}: ${query.expr}`),
    )
  }
  await until('data for every query', async () => (await lacking()).length === 0).catch(() => {})
  t.strictSame(await lacking(), [])
  await load.end()

  await seen('ALERTS{alertname="LineageStoreBehind",alertstate="firing"}')
  await seen('ALERTS{alertname="LineageJournalReplayed",alertstate="firing"}')
  t.strictSame(await prometheus.brokenRules(), [], 'under load neither')
})
