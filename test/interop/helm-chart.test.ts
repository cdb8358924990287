// The Helm chart in the hands of Helm: each release renders it, all to the same objects, Kubernetes and
// the operators would take these, and values that cannot work are refused with all that is wrong.

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute'
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule'
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor'
import { test } from 'tap'
import { CHART, readValuesSchema, type Values } from '../deploy/chart.ts'
import { checkAgainstSchema, type Manifest } from '../deploy/manifests.ts'
import { MINIMAL, SCENARIOS } from './chart/chart-scenarios.ts'
import { NAMESPACE, RELEASE, renderChart, runTemplate, withValues } from './chart/rendered-chart.ts'
import {
  ensureTools,
  HELM_RELEASES,
  type HelmVersion,
  runTool,
  whyNoHelm,
} from './programs/helm.ts'

const skip = whyNoHelm() ?? false
const VERSIONS = Object.keys(HELM_RELEASES) as HelmVersion[]
const NEWEST: HelmVersion = 'v4.1.4'
const newest = () => ensureTools(NEWEST).helm

const CUSTOM: Readonly<Record<string, new (body: never) => { validate(): void }>> = {
  HTTPRoute,
  PrometheusRule,
  ServiceMonitor,
}

/** What the definitions of custom resources say that types cannot, such as how a duration is spelt. */
function checkCustom(manifests: readonly Manifest[]): string[] {
  return manifests.flatMap(({ kind, body }) => {
    const Model = CUSTOM[kind]
    try {
      if (Model) new Model(body as never).validate()
      return []
    } catch (error) {
      return [`${kind}: ${error}`]
    }
  })
}

test('each release of Helm takes the chart and renders the same objects', { skip }, async (t) => {
  for (const version of VERSIONS) {
    const { helm } = ensureTools(version)
    t.match(runTool(helm, 'version', '--short').stdout, version)
    for (const [name, values] of Object.entries(SCENARIOS)) {
      const { manifests } = renderChart(helm, values)
      t.strictSame(manifests, renderChart(newest(), values).manifests, `${version}: ${name}`)
    }
    const lint = withValues(MINIMAL, (file) =>
      runTool(helm, 'lint', '--strict', CHART, '--values', file),
    )
    t.equal(lint.status, 0, lint.stdout)
  }
})

test('what is rendered is what the schemas of Kubernetes ask for', { skip }, async (t) => {
  const rendered = Object.values(SCENARIOS).map((values) => renderChart(newest(), values).manifests)
  const manifests = rendered.flat()
  t.strictSame(checkAgainstSchema(manifests), [])
  t.strictSame(checkCustom(manifests), [])
  const kinds = new Set(manifests.map(({ kind }) => kind))
  for (const kind of [...Object.keys(CUSTOM), 'Ingress', 'Job']) t.ok(kinds.has(kind), kind)
})

test('these checks can fail for custom resources, too', { skip }, async (t) => {
  const { manifests } = renderChart(newest(), SCENARIOS.everything ?? {})
  const spoil = (kind: string, from: string, to: string): Manifest[] => {
    const one = manifests.find((manifest) => manifest.kind === kind)
    const text = JSON.stringify(one)
    t.ok(text.includes(from), from)
    return [JSON.parse(text.replace(from, to)) as Manifest]
  }
  t.not(checkAgainstSchema(spoil('ServiceMonitor', '"endpoints"', '"endpoint"')).length, 0)
  t.not(checkAgainstSchema(spoil('HTTPRoute', '"parentRefs"', '"parents"')).length, 0)
  t.not(checkCustom(spoil('ServiceMonitor', '"15s"', '"half a minute"')).length, 0)
})

/** Values that are valid but for one thing. */
function refusal(values: Values): string {
  const { status, stderr } = runTemplate(newest(), values)
  return status === 0 ? '' : stderr
}

test('values that cannot work are refused, all that is wrong in one message', {
  skip,
}, async (t) => {
  const none = refusal({})
  for (const value of ['image.repository', 'issuer', 'secrets.databaseUrl', 'secrets.secretKey']) {
    t.match(none, `${value} is missing`)
  }
  const { secrets } = MINIMAL
  const twice = { ...secrets.secretKey, existingSecret: 'other' }
  const wrong = refusal({
    ...MINIMAL,
    secrets: { ...secrets, secretKey: twice },
    containerPorts: { ops: 3000 },
    tls: { clientCaSecret: 'authorities' },
    podDisruptionBudget: { minAvailable: 1 },
    autoscaling: { minReplicas: 11 },
    httpRoute: { enabled: true },
  })
  for (const words of [
    'secrets.secretKey has a value and an existingSecret',
    'containerPorts.http and containerPorts.ops are the same',
    'tls.clientCaSecret goes with tls.existingSecret',
    'podDisruptionBudget has maxUnavailable or minAvailable',
    'autoscaling.minReplicas is above autoscaling.maxReplicas',
    'httpRoute.parentRefs is missing',
  ]) {
    t.match(wrong, words)
  }
  t.notMatch(`${none}${wrong}`, secrets.secretKey.value)
})

test('each release refuses by the schema what it does not know', { skip }, async (t) => {
  const unknown = [
    { ingres: { enabled: true } },
    { settings: { LINEAGE_KEY_ROTATION_DAY: 30 } },
    { settings: { PORT: 3000 } },
    { secrets: { databaseUrl: { secretName: 'x' } } },
    { issuer: 'auth.example.com' },
    { settings: { LINEAGE_KEY_ROTATION_DAYS: 1.5 } },
    { networkPolicy: { egress: { dns: { ports: ['dns'] } } } },
    // What the pods are found by.
    { podLabels: { 'app.kubernetes.io/name': 'other' } },
    { commonLabels: { 'app.kubernetes.io/instance': 'other' } },
  ]
  for (const version of VERSIONS) {
    for (const values of unknown) {
      const { status, stderr } = runTemplate(ensureTools(version).helm, { ...MINIMAL, ...values })
      t.equal(status, 1, `${version}: ${JSON.stringify(values)}`)
      t.match(stderr, 'schema')
    }
  }
})

test('the chart works below another one, which hands down globals', { skip }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'lineage-umbrella-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  mkdirSync(join(dir, 'charts'))
  cpSync(CHART, join(dir, 'charts/lineage'), { recursive: true })
  writeFileSync(
    join(dir, 'Chart.yaml'),
    'apiVersion: v2\nname: platform\nversion: 1.0.0\ndependencies: [{name: lineage, version: "*"}]\n',
  )
  const values = { global: { region: 'eu' }, lineage: MINIMAL }
  for (const version of VERSIONS) {
    const { helm } = ensureTools(version)
    const { manifests } = renderChart(helm, values, { chart: dir })
    t.strictSame(manifests, renderChart(helm, MINIMAL).manifests, version)
  }
})

test('the notes say where things are, and hide no secret', { skip }, async (t) => {
  // Releases before the fourth ask a cluster even for a dry run.
  const { status, stdout, stderr } = withValues(MINIMAL, (file) =>
    runTool(
      ...([newest(), 'install', RELEASE, CHART, '--namespace', NAMESPACE] as const),
      ...['--values', file, '--dry-run=client'],
    ),
  )
  t.equal(status, 0, stderr)
  const notes = stdout.slice(stdout.indexOf('NOTES:'))
  t.match(notes, 'https://auth.example.com')
  t.match(notes, 'port-forward service/auth-lineage-ops 9000')
  t.match(notes, 'Nothing leads to the Service auth-lineage from outside')
  t.match(notes, 'trustedProxies is empty')
  t.notMatch(notes, MINIMAL.secrets.secretKey.value)
})

test('each setting can be given as itself, a number or a word that YAML changes', {
  skip,
}, async (t) => {
  const { settings } = readValuesSchema().properties ?? {}
  const names = Object.keys(settings?.properties ?? {})
  const given = Object.fromEntries(names.map((name) => [name, `of ${name}: "{{ x }}" #`]))
  const render = (values: Values) =>
    (renderChart(newest(), { ...MINIMAL, settings: values }).find('ConfigMap') as { data: Values })
      .data
  t.match(render(given), given)
  const numbers = Object.fromEntries(names.map((name) => [name, 315_360_000]))
  t.match(render(numbers), Object.fromEntries(names.map((name) => [name, '315360000'])))
  const words = { LINEAGE_THROTTLE: false, LINEAGE_PASSWORD_BLOCKLIST: true }
  t.match(render({ ...words, OTEL_SDK_DISABLED: true, OTEL_TRACES_SAMPLER_ARG: 0.05 }), {
    LINEAGE_THROTTLE: 'off',
    LINEAGE_PASSWORD_BLOCKLIST: 'on',
    OTEL_SDK_DISABLED: 'true',
    OTEL_TRACES_SAMPLER_ARG: '0.05',
  })
})
