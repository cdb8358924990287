// A release of the chart as a whole: beside another one, under any name, through its changes.

import { test } from 'tap'
import type { Values } from '../deploy/chart.ts'
import { MINIMAL, SCENARIOS } from './chart/chart-scenarios.ts'
import { inEach, labelsOf, selects } from './chart/each-scenario.ts'
import { type Rendered, renderChart } from './chart/rendered-chart.ts'
import { ensureTools, whyNoHelm } from './programs/helm.ts'

const skip = whyNoHelm() ?? false

test('two releases in a namespace have nothing in common', { skip }, async (t) => {
  const { helm } = ensureTools('v4.1.4')
  const [one, two] = ['auth', 'other'].map((release) =>
    renderChart(helm, SCENARIOS.everything ?? {}, { release }),
  ) as [Rendered, Rendered]
  t.notOk(selects(one.deployment.spec?.selector.matchLabels, labelsOf(two)))
  const names = ({ manifests }: Rendered) =>
    manifests.map(
      ({ kind, body }) => `${kind} ${(body as { metadata: { name: string } }).metadata.name}`,
    )
  t.strictSame(
    names(one).filter((name) => names(two).includes(name)),
    [],
  )
})

test('a secret is in Secrets alone', {
  skip,
}, async (t) => {
  await inEach(t, (t, { manifests }) => {
    const text = JSON.stringify(manifests.filter(({ kind }) => kind !== 'Secret'))
    for (const secret of ['of-the-database', 'A'.repeat(43)]) t.notMatch(text, secret)
  })
})

test('a change of a setting or of a secret rolls the pods, and nothing else does', {
  skip,
}, async (t) => {
  const { helm } = ensureTools('v4.1.4')
  const annotations = (values: Values) =>
    renderChart(helm, { ...MINIMAL, ...values }).deployment.spec?.template.metadata?.annotations ??
    {}
  const before = annotations({})
  t.strictSame(annotations({ ingress: { enabled: true } }), before)
  const settings = annotations({ settings: { LINEAGE_THROTTLE: 'off' } })
  t.not(settings['checksum/settings'], before['checksum/settings'])
  t.equal(settings['checksum/secrets'], before['checksum/secrets'])
  const databaseUrl = { value: `${MINIMAL.secrets.databaseUrl.value}2` }
  const secrets = annotations({ secrets: { ...MINIMAL.secrets, databaseUrl } })
  t.equal(secrets['checksum/settings'], before['checksum/settings'])
  t.not(secrets['checksum/secrets'], before['checksum/secrets'])
})

test('names stay within what Kubernetes takes, whatever the release is called', {
  skip,
}, async (t) => {
  const { helm } = ensureTools('v4.1.4')
  const release = `long-${'x'.repeat(47)}z`
  const { manifests, deployment } = renderChart(helm, SCENARIOS.everything ?? {}, { release })
  for (const { kind, body } of manifests) {
    const { name } = (body as { metadata: { name: string } }).metadata
    t.match(name, /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, kind)
  }
  for (const value of Object.values(deployment.metadata?.labels ?? {})) {
    t.match(value, /^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/)
  }
  const all = manifests.map(
    ({ kind, body }) => `${kind} ${JSON.stringify((body as Values).metadata)}`,
  )
  t.equal(new Set(all).size, all.length, 'all different')
})

test("an Ingress and a route are for the issuer's host, unless others are named", {
  skip,
}, async (t) => {
  const { helm } = ensureTools('v4.1.4')
  const hostsOf = (ingress: Values, httpRoute: Values) => {
    const { find } = renderChart(helm, {
      ...MINIMAL,
      issuer: 'https://login.example.com:8443/tenants/one',
      ingress: { enabled: true, ...ingress },
      httpRoute: { enabled: true, parentRefs: [{ name: 'public' }], ...httpRoute },
    })
    const { rules } = (find('Ingress') as { spec: { rules: { host: string }[] } }).spec
    const { hostnames } = (find('HTTPRoute') as { spec: { hostnames: string[] } }).spec
    return [rules.map(({ host }) => host), hostnames]
  }
  t.strictSame(hostsOf({}, {}), [['login.example.com'], ['login.example.com']])
  const others = ['a.example.com', 'b.example.com']
  t.strictSame(hostsOf({ hosts: others }, { hostnames: others }), [others, others])
})

test('the network is open to what is used, and to nothing else', { skip }, async (t) => {
  await inEach(t, (t, { all }, values) => {
    const { redisUrl, smtpUrl } = values.secrets as Values
    const expected = [443, 53, 5432, ...(redisUrl ? [6379] : []), ...(smtpUrl ? [465, 587] : [])]
    if (JSON.stringify(values.settings ?? {}).includes('OTLP_ENDPOINT')) expected.push(4318)
    const { egress } = (values.networkPolicy ?? {}) as { egress?: { extra: Rule[] } }
    expected.push(...portsOf(egress?.extra))
    for (const { metadata, ...one } of all('NetworkPolicy')) {
      const ports = portsOf((one as { spec?: { egress: Rule[] } }).spec?.egress)
      const isOfJob = metadata.labels?.['app.kubernetes.io/component'] === 'migrations'
      t.strictSame(ports, (isOfJob ? [53, 5432] : expected).sort(), `${metadata.name}`)
    }
  })
})

interface Rule {
  readonly ports?: readonly { readonly port: number }[]
}

function portsOf(rules: readonly Rule[] = []): number[] {
  return [...new Set(rules.flatMap(({ ports = [] }) => ports.map(({ port }) => port)))].sort()
}
