// What the chart has of deploy/prometheus and deploy/grafana: all of it, as it stands there, also in a
// packed chart, and under the job's name that the alerts know.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConfigMap, Service } from 'kubernetes-types/core/v1.js'
import { test } from 'tap'
import { parse } from 'yaml'
import { CHART, type Values } from '../deploy/chart.ts'
import { MINIMAL, SCENARIOS } from './chart/chart-scenarios.ts'
import { NAME, renderChart } from './chart/rendered-chart.ts'
import { ensureTools, runTool, whyNoHelm } from './programs/helm.ts'

const skip = whyNoHelm() ?? false
const RULES = 'deploy/prometheus/rules'
const DASHBOARDS = 'deploy/grafana/dashboards'

interface Group {
  readonly rules: { readonly annotations?: Record<string, string> }[]
}

const enabled = {
  ...MINIMAL,
  prometheusRule: { enabled: true },
  grafanaDashboards: { enabled: true },
}

function readGroups(prefix = ''): Group[] {
  const groups = readdirSync(RULES).flatMap(
    (name) => (parse(readFileSync(join(RULES, name), 'utf8')) as { groups: Group[] }).groups,
  )
  for (const { annotations } of groups.flatMap(({ rules }) => rules)) {
    if (annotations) annotations.runbook_url = `${prefix}${annotations.runbook_url}`
  }
  return groups
}

test('the rules are those of deploy/prometheus, with runbooks where they are read', {
  skip,
}, async (t) => {
  const { helm } = ensureTools('v4.1.4')
  const groupsOf = (values: typeof enabled) =>
    (renderChart(helm, values).find('PrometheusRule') as { spec: { groups: Group[] } }).spec.groups
  t.strictSame(groupsOf(enabled), readGroups())
  const runbookPrefix = 'https://git.example.com/lineage/'
  const prefixed = { ...enabled, prometheusRule: { enabled: true, runbookPrefix } }
  t.strictSame(groupsOf(prefixed), readGroups(runbookPrefix))
  t.match(JSON.stringify(groupsOf(prefixed)), `${runbookPrefix}docs/operations.md#`)
})

test('the dashboards are those of deploy/grafana', { skip }, async (t) => {
  const { find } = renderChart(ensureTools('v4.1.4').helm, enabled)
  const map = find('ConfigMap', `${NAME}-dashboards`) as ConfigMap
  t.equal(map.metadata?.labels?.grafana_dashboard, '1')
  t.strictSame(Object.keys(map.data ?? {}), readdirSync(DASHBOARDS))
  for (const [name, text] of Object.entries(map.data ?? {})) {
    t.strictSame(JSON.parse(text), JSON.parse(readFileSync(join(DASHBOARDS, name), 'utf8')), name)
  }
})

test('what is scraped has the name of the job that the alerts know', { skip }, async (t) => {
  const { find } = renderChart(ensureTools('v4.1.4').helm, {
    ...enabled,
    serviceMonitor: { enabled: true },
  })
  const { jobLabel } = (find('ServiceMonitor') as { spec: { jobLabel: string } }).spec
  const job = (find('Service', `${NAME}-ops`) as Service).metadata?.labels?.[jobLabel]
  const asked = new Set(JSON.stringify(readGroups()).match(/job=\\"\w+\\"/g))
  t.strictSame([...asked], [`job=\\"${job}\\"`])
})

test('a service that speaks TLS is scraped under the name of the issuer', { skip }, async (t) => {
  const endpointOf = (values: Values) =>
    (
      renderChart(ensureTools('v4.1.4').helm, values).find('ServiceMonitor') as {
        spec: { endpoints: { scheme: string; tlsConfig?: unknown }[] }
      }
    ).spec.endpoints[0]
  t.match(endpointOf(SCENARIOS.TLS ?? {}), {
    scheme: 'https',
    tlsConfig: { serverName: 'auth.example.com' },
  })
  t.strictSame(endpointOf(SCENARIOS.everything ?? {})?.tlsConfig, {
    ca: { configMap: { name: 'company-authorities', key: 'ca.crt' } },
  })
  const plain = endpointOf({ ...MINIMAL, serviceMonitor: { enabled: true } })
  t.match(plain, { scheme: 'http', tlsConfig: undefined })
})

test('a packed chart has all that the folder leads to', { skip }, async (t) => {
  const { helm } = ensureTools('v4.1.4')
  const dir = mkdtempSync(join(tmpdir(), 'lineage-package-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  t.equal(runTool(helm, 'package', CHART, '--destination', dir).status, 0)
  const [name = ''] = readdirSync(dir)
  for (const values of [enabled, SCENARIOS.everything ?? {}]) {
    const { manifests } = renderChart(helm, values, { chart: join(dir, name) })
    t.strictSame(manifests, renderChart(helm, values).manifests)
  }
})
