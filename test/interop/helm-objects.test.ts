// The objects that the chart makes, against each other, in every scenario: what is named is there, who
// is selected is who is meant, ports are the same everywhere, and pods are as locked down as they go.

import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2.js'
import type { Service } from 'kubernetes-types/core/v1.js'
import type { LabelSelector } from 'kubernetes-types/meta/v1.js'
import type { Ingress, NetworkPolicy, NetworkPolicyPort } from 'kubernetes-types/networking/v1.js'
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js'
import { test } from 'tap'
import type { Values } from '../deploy/chart.ts'
import { FOREIGN_SECRETS } from './chart/chart-scenarios.ts'
import { inEach, type Labels, labelsOf, selects } from './chart/each-scenario.ts'
import { NAME, type Rendered } from './chart/rendered-chart.ts'
import { whyNoHelm } from './programs/helm.ts'

const skip = whyNoHelm() ?? false
const OPS = `${NAME}-ops`

test('every Secret, ConfigMap, account and volume that is named is there', { skip }, async (t) => {
  await inEach(t, (t, rendered, values) => {
    const names = (kind: string) => rendered.all(kind).map(({ metadata }) => metadata.name ?? '')
    const secrets = [...names('Secret'), ...Object.keys(FOREIGN_SECRETS)]
    const maps = [...names('ConfigMap'), 'company-authorities']
    for (const { spec } of rendered.pods) {
      const volumes = (spec.volumes ?? []).map(({ name }) => name)
      for (const { secret } of (spec.volumes ?? []).flatMap(
        (one) => one.projected?.sources ?? [],
      )) {
        t.ok(secrets.includes(secret?.name ?? ''), `Secret ${secret?.name}`)
        const own = rendered.all('Secret').find(({ metadata }) => metadata.name === secret?.name)
        const { stringData } = (own ?? {}) as { stringData?: Values }
        const keys = stringData ?? FOREIGN_SECRETS[secret?.name as keyof typeof FOREIGN_SECRETS]
        for (const { key } of secret?.items ?? []) {
          t.ok(Object.hasOwn(keys, key), `the key ${key} of ${secret?.name}`)
        }
      }
      for (const { configMap } of spec.volumes ?? []) {
        if (configMap) t.ok(maps.includes(configMap.name ?? ''), `ConfigMap ${configMap.name}`)
      }
      for (const { volumeMounts = [], envFrom = [] } of spec.containers) {
        for (const { name } of volumeMounts) t.ok(volumes.includes(name), `volume ${name}`)
        for (const { configMapRef } of envFrom) {
          t.ok(maps.includes(configMapRef?.name ?? ''), `ConfigMap ${configMapRef?.name}`)
        }
      }
    }
    const account = rendered.deployment.spec?.template.spec?.serviceAccountName
    const isMade = (values.serviceAccount as Values | undefined)?.create !== false
    t.strictSame(names('ServiceAccount'), isMade ? [account] : [])
    t.equal(account, isMade ? NAME : 'default')
  })
})

test('a hook needs nothing that is made after it', { skip }, async (t) => {
  await inEach(t, (t, rendered) => {
    const weightOf = (kind: string, name = '') => {
      const { annotations = {} } = (
        rendered.find(kind, name) as { metadata: { annotations?: Labels } }
      ).metadata
      return annotations['helm.sh/hook'] === 'pre-install,pre-upgrade'
        ? Number(annotations['helm.sh/hook-weight'])
        : Number.POSITIVE_INFINITY
    }
    for (const job of rendered.all('Job')) {
      const { spec } = (job as { spec?: { template: { spec: Rendered['pods'][number]['spec'] } } })
        .spec?.template ?? { spec: undefined }
      const own = rendered.all('Secret').map(({ metadata }) => metadata.name)
      const used = spec?.volumes?.flatMap((one) => one.projected?.sources ?? []) ?? []
      t.not(used.length, 0)
      for (const { secret } of used.filter((one) => own.includes(one.secret?.name))) {
        t.ok(weightOf('Secret', secret?.name) < weightOf('Job', job.metadata.name))
      }
      t.strictSame(spec?.containers[0]?.envFrom, undefined, 'no ConfigMap either')
      t.equal(spec?.serviceAccountName, 'default')
    }
  })
})

test('selectors find the pods that serve, and no other pod of the release', { skip }, async (t) => {
  await inEach(t, (t, rendered) => {
    const labels = labelsOf(rendered)
    const others = rendered.pods.map((pod) => pod.labels).filter((one) => one !== labels)
    const meansServer = (selector: Labels | undefined, name: string) => {
      t.ok(selects(selector, labels), `${name} finds the pods`)
      for (const other of others) t.notOk(selects(selector, other), `${name} finds no others`)
    }
    const { deployment } = rendered
    meansServer(deployment.spec?.selector.matchLabels, 'the Deployment')
    for (const { metadata, ...one } of rendered.all('Service')) {
      meansServer((one as Service).spec?.selector, metadata.name ?? '')
    }
    for (const budget of rendered.all('PodDisruptionBudget') as PodDisruptionBudget[]) {
      meansServer(budget.spec?.selector?.matchLabels, 'the budget')
    }
    for (const scaler of rendered.all('HorizontalPodAutoscaler') as HorizontalPodAutoscaler[]) {
      t.match(scaler.spec?.scaleTargetRef, { kind: 'Deployment', name: deployment.metadata?.name })
      t.equal(deployment.spec?.replicas, undefined, 'how many is the scaler’s word alone')
    }
    for (const { metadata, ...one } of rendered.all('NetworkPolicy')) {
      const selector = (one as NetworkPolicy).spec?.podSelector.matchLabels
      if (metadata.name === NAME) meansServer(selector, 'the policy')
      else t.notOk(selects(selector, labels), 'that of the job finds the job')
    }
    for (const { labelSelector } of deployment.spec?.template.spec?.topologySpreadConstraints ??
      []) {
      t.ok(selects(labelSelector?.matchLabels, labels), 'what is spread')
    }
    for (const monitor of rendered.all('ServiceMonitor')) {
      const { selector } = (monitor as { spec?: { selector: LabelSelector } }).spec ?? {}
      const found = rendered
        .all('Service')
        .filter(({ metadata }) => selects(selector?.matchLabels, metadata.labels ?? {}))
      t.strictSame(
        found.map(({ metadata }) => metadata.name),
        [OPS],
      )
    }
  })
})

test('ports have the same name everywhere, and nothing public leads to operations', {
  skip,
}, async (t) => {
  await inEach(t, (t, rendered, values) => {
    const { container, find, all } = rendered
    t.strictSame(
      container.ports?.map(({ name }) => name),
      ['http', 'ops'],
    )
    const service = find('Service') as Service
    const ops = find('Service', OPS) as Service
    t.match(service.spec?.ports, [{ name: 'http', targetPort: 'http' }])
    t.equal(service.spec?.ports?.length, 1)
    t.match(ops.spec, { type: 'ClusterIP', ports: [{ name: 'ops', targetPort: 'ops' }] })
    const scheme = values.tls ? 'HTTPS' : 'HTTP'
    const paths = [container.startupProbe, container.livenessProbe, container.readinessProbe].map(
      (probe) => ({ ...probe?.httpGet }),
    )
    t.strictSame(paths, [
      { path: '/livez', port: 'ops', scheme },
      { path: '/livez', port: 'ops', scheme },
      { path: '/readyz', port: 'ops', scheme },
    ])
    const policies = (all('NetworkPolicy') as NetworkPolicy[]).filter(
      ({ metadata }) => metadata?.name === NAME,
    )
    for (const { spec } of policies) {
      const ports = (spec?.ingress ?? []).map((rule) => rule.ports as NetworkPolicyPort[])
      t.strictSame(
        ports.map((list) => list.map(({ port }) => port)),
        [['http'], ['ops']],
      )
    }
    for (const { spec } of all('Ingress') as Ingress[]) {
      const backends = spec?.rules?.flatMap(({ http }) => http?.paths.map((path) => path.backend))
      for (const backend of backends ?? []) {
        t.strictSame(backend?.service, { name: NAME, port: { name: 'http' } })
      }
    }
    for (const route of all('HTTPRoute')) {
      const { rules } = (route as { spec?: { rules: { backendRefs: unknown }[] } }).spec ?? {}
      const port = service.spec?.ports?.[0]?.port
      t.strictSame(rules, [{ backendRefs: [{ name: NAME, port }] }])
    }
    for (const monitor of all('ServiceMonitor')) {
      const { endpoints } = (monitor as { spec?: { endpoints: unknown[] } }).spec ?? {}
      t.match(endpoints, [{ port: 'ops', path: '/metrics', scheme: scheme.toLowerCase() }])
    }
  })
})

test('all pods meet the restricted profile and have no token of Kubernetes', {
  skip,
}, async (t) => {
  await inEach(t, (t, rendered) => {
    for (const { spec } of rendered.pods) {
      t.match(spec, {
        enableServiceLinks: false,
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      })
      const [ours] = spec.containers
      t.strictSame(ours?.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      t.ok(ours?.resources?.limits?.memory)
      t.ok(ours?.volumeMounts?.every(({ readOnly }) => readOnly) ?? true)
      for (const { projected } of spec.volumes ?? []) {
        if (projected) t.equal(projected.defaultMode, 0o440)
      }
    }
  })
})
