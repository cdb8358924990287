// deploy/kubernetes in the hands of kubectl's kustomize, and the Helm chart's defaults beside it: two ways
// to the same objects.

import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { Service } from 'kubernetes-types/core/v1.js'
import type { NetworkPolicy } from 'kubernetes-types/networking/v1.js'
import { type Test, test } from 'tap'
import { checkAgainstSchema, type Manifest } from '../deploy/manifests.ts'
import { SCENARIOS } from './chart/chart-scenarios.ts'
import { readObjects, renderChart } from './chart/rendered-chart.ts'
import { ensureTools, runTool, whyNoHelm } from './programs/helm.ts'

const skip = whyNoHelm() ?? false

/** What `kubectl kustomize` makes of an overlay of deploy/kubernetes with these lines beside its base. */
function kustomize(t: Test, lines = ''): Manifest[] {
  const dir = mkdtempSync(join(tmpdir(), 'lineage-overlay-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  cpSync('deploy/kubernetes', join(dir, 'base'), { recursive: true })
  writeFileSync(join(dir, 'kustomization.yaml'), `resources: [base]\n${lines}`)
  const { status, stdout, stderr } = runTool(ensureTools('v4.1.4').kubectl, 'kustomize', dir)
  if (status !== 0) throw new Error(stderr)
  return readObjects(stdout)
}

function findOf(manifests: readonly Manifest[], kind: string): unknown {
  return manifests.find((one) => one.kind === kind)?.body
}

test('kustomize makes of deploy/kubernetes what Kubernetes asks for', { skip }, async (t) => {
  const manifests = kustomize(t)
  t.strictSame(checkAgainstSchema(manifests), [])
  t.strictSame(manifests.map(({ kind }) => kind).sort(), [
    'ConfigMap',
    'Deployment',
    'HorizontalPodAutoscaler',
    'NetworkPolicy',
    'PodDisruptionBudget',
    'Service',
    'Service',
  ])
})

test('its component adds a ServiceMonitor that finds one port of one Service', {
  skip,
}, async (t) => {
  const manifests = kustomize(t, 'components: [base/service-monitor]\n')
  t.strictSame(checkAgainstSchema(manifests), [])
  const { spec } = findOf(manifests, 'ServiceMonitor') as {
    spec: { selector: { matchLabels: object }; endpoints: { port: string; path: string }[] }
  }
  t.match(spec.endpoints, [{ port: 'ops', path: '/metrics' }])
  const services = manifests.filter(({ kind }) => kind === 'Service').map(({ body }) => body)
  const targets = (services as Service[]).filter((one) =>
    one.spec?.ports?.some(({ name }) => name === spec.endpoints[0]?.port),
  )
  t.match(targets, [{ metadata: { name: 'lineage-ops', labels: spec.selector.matchLabels } }])
  t.equal(targets.length, 1)
})

test("the chart's defaults are those of deploy/kubernetes", { skip }, async (t) => {
  const base = kustomize(t)
  const { manifests } = renderChart(
    ensureTools('v4.1.4').helm,
    SCENARIOS['high availability'] ?? {},
  )
  const [ours, theirs] = [base, manifests].map(
    (objects) => (findOf(objects, 'Deployment') as Deployment).spec,
  )
  t.match(theirs, { strategy: ours?.strategy, revisionHistoryLimit: ours?.revisionHistoryLimit })
  const [pod, chartPod] = [ours?.template.spec, theirs?.template.spec]
  t.strictSame(chartPod?.securityContext, pod?.securityContext)
  t.equal(chartPod?.terminationGracePeriodSeconds, pod?.terminationGracePeriodSeconds)
  const [container, chartContainer] = [pod?.containers[0], chartPod?.containers[0]]
  for (const name of ['resources', 'securityContext', 'ports'] as const) {
    t.strictSame(chartContainer?.[name], container?.[name], name)
  }
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    t.match(chartContainer?.[name], container?.[name] ?? {}, name)
  }
  const [policy, chartPolicy] = [base, manifests].map(
    (objects) => (findOf(objects, 'NetworkPolicy') as NetworkPolicy).spec,
  )
  const peers = (spec: typeof policy) => spec?.ingress?.map(({ from }) => from?.[0])
  t.strictSame(peers(chartPolicy), peers(policy))
  const reach = (spec: typeof policy) =>
    [...new Set(spec?.egress?.flatMap(({ ports }) => ports?.map(({ port }) => port)))].sort()
  // Mail is open in the chart where it is set up.
  t.strictSame(
    reach(chartPolicy),
    reach(policy).filter((port) => port !== 465 && port !== 587),
  )
})
