// The manifests of deploy/kubernetes: against the schema of Kubernetes, against each other, and
// against the service, which is asked for its configuration and its probes.

import { readFileSync } from 'node:fs'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2.js'
import type { Container, PodSpec, Secret, Service } from 'kubernetes-types/core/v1.js'
import type { NetworkPolicy } from 'kubernetes-types/networking/v1.js'
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js'
import { test } from 'tap'
import { loadConfig } from '../../src/config/service-config.ts'
import { DRAIN_MS, stopLimitMs } from '../../src/runtime/close-on-signal.ts'
import { startApp } from '../support/app.ts'
import { imageEnvironment } from './dockerfile.ts'
import {
  checkAgainstSchema,
  findManifest,
  type Manifest,
  readKustomization,
  readManifests,
} from './manifests.ts'

interface Kustomization {
  readonly resources: readonly string[]
  readonly images: readonly { readonly name: string; readonly newTag: string }[]
  readonly configMapGenerator: readonly { readonly name: string; readonly literals: string[] }[]
}

const LABELS = { 'app.kubernetes.io/name': 'lineage' }
const deployment = findManifest('Deployment') as Deployment
const pod = deployment.spec?.template.spec as PodSpec
const container = pod.containers[0] as Container
const kustomization = readKustomization() as Kustomization

test('every manifest is what the schema of Kubernetes asks for', async (t) => {
  t.strictSame(checkAgainstSchema(readManifests()), [])
})

test('the check against the schema can fail: misspelt, missing, of a wrong type', async (t) => {
  const spoil = (change: (text: string) => string): Manifest => ({
    file: 'spoilt.yaml',
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    body: JSON.parse(change(JSON.stringify(deployment))),
  })
  const problems = checkAgainstSchema([
    spoil((text) => text.replace('"enableServiceLinks"', '"enableServiceLink"')),
    spoil((text) => text.replace('"containerPort":3000', '"containerPort":"3000"')),
    spoil((text) => text.replace('"selector"', '"labels"')),
    spoil((text) => text.replace('"apps/v1"', '"apps/v1beta1"')),
  ])
  for (const index of [0, 1, 2, 3]) {
    t.ok(
      problems.some((line) => line.startsWith(`${index}-`)),
      `number ${index}`,
    )
  }
})

test('kustomize applies every manifest but the example of a secret', async (t) => {
  const files = [...new Set(readManifests().map(({ file }) => file))]
  const applied = files.filter((file) => file !== 'secret.example.yaml')
  t.strictSame([...kustomization.resources].sort(), applied.sort())
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string }
  t.match(kustomization.images, [{ name: container.image, newTag: version }])
})

test('selectors find the pods, and a roll-out or a drain leaves some', async (t) => {
  t.match(deployment.spec, {
    selector: { matchLabels: LABELS },
    strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    template: { metadata: { labels: LABELS } },
    replicas: undefined,
  })
  for (const name of ['lineage', 'lineage-ops']) {
    t.match(findManifest('Service', name), { spec: { selector: LABELS } } satisfies Service)
  }
  const budget = findManifest('PodDisruptionBudget') as PodDisruptionBudget
  const policy = findManifest('NetworkPolicy') as NetworkPolicy
  const scaler = findManifest('HorizontalPodAutoscaler') as HorizontalPodAutoscaler
  t.strictSame(budget.spec?.selector?.matchLabels, LABELS)
  t.strictSame(policy.spec?.podSelector.matchLabels, LABELS)
  t.match(scaler.spec?.scaleTargetRef, { kind: 'Deployment', name: deployment.metadata?.name })
  t.ok((scaler.spec?.minReplicas ?? 0) > Number(budget.spec?.maxUnavailable))
  t.ok(container.resources?.requests?.cpu, 'utilization is a share of what was asked for')
})

test('pods meet the restricted profile, write nothing and see no variables of others', async (t) => {
  t.match(pod, {
    enableServiceLinks: false,
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  })
  t.strictSame(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  })
  // Group 1000 reads what root owns.
  t.match(pod.securityContext, { runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 })
  t.equal(pod.volumes?.[0]?.secret?.defaultMode, 0o440)
  t.ok(container.volumeMounts?.every(({ readOnly }) => readOnly))
})

/** As the pod gets it: the image's, the ConfigMap's, the Deployment's. */
function podEnvironment(): Record<string, string> {
  const literals = kustomization.configMapGenerator.flatMap((map) => map.literals)
  return {
    ...imageEnvironment(),
    ...Object.fromEntries(literals.map((pair) => pair.split('=') as [string, string])),
    ...Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value ?? ''])),
  }
}

/** A key of the example of the secret, filled in, as the volume shows it. */
function readSecretFile(path: string): string {
  const { stringData = {} } = findManifest('Secret') as Secret
  const mount = container.volumeMounts?.find(({ mountPath }) => path.startsWith(`${mountPath}/`))
  const text = stringData[path.slice((mount?.mountPath.length ?? 0) + 1)]
  if (text === undefined) throw new Error(`no ${path}`)
  return text.replace(/<.*>/, 'A'.repeat(43)).replace('HOST', 'host.example.com')
}

test('the service takes the environment and the secret files of the pod', async (t) => {
  t.strictSame(container.envFrom, [{ configMapRef: { name: 'lineage' } }])
  t.strictSame(
    kustomization.configMapGenerator.map(({ name }) => name),
    ['lineage'],
  )
  const config = loadConfig(podEnvironment(), readSecretFile)
  t.match(config, {
    mode: 'server',
    host: '0.0.0.0',
    port: 3000,
    opsPort: 9000,
    certificateHeader: 'off',
    issuer: 'https://auth.example.com',
    adminClient: { id: 'admin', secret: 'A'.repeat(43) },
  })
  t.throws(() => loadConfig({ ...podEnvironment(), LINEAGE_ISUER: 'x' }, readSecretFile))
})

test('ports are those of the configuration, under the names that probes and services use', async (t) => {
  const { port, opsPort } = loadConfig(podEnvironment(), readSecretFile) as {
    port: number
    opsPort: number
  }
  t.strictSame(container.ports, [
    { name: 'http', containerPort: port },
    { name: 'ops', containerPort: opsPort },
  ])
  const targets = ['lineage', 'lineage-ops'].map(
    (name) => (findManifest('Service', name) as Service).spec?.ports?.[0]?.targetPort,
  )
  t.strictSame(targets, ['http', 'ops'])
  const { ingress = [] } = (findManifest('NetworkPolicy') as NetworkPolicy).spec ?? {}
  t.strictSame(
    ingress.map(({ ports }) => ports?.map((one) => one.port)),
    [['http'], ['ops']],
  )
})

test('a pod has the time to end that the service takes, and a start the patience', async (t) => {
  const { LINEAGE_SHUTDOWN_DELAY_SECONDS } = podEnvironment()
  const graceMs = (pod.terminationGracePeriodSeconds ?? 0) * 1000
  t.ok(graceMs >= stopLimitMs(Number(LINEAGE_SHUTDOWN_DELAY_SECONDS)))
  t.ok(graceMs >= Number(LINEAGE_SHUTDOWN_DELAY_SECONDS) * 1000 + DRAIN_MS)
  const { periodSeconds = 0, failureThreshold = 0 } = container.startupProbe ?? {}
  // A database is waited for half a minute, the migrations of another instance a whole one.
  t.ok(periodSeconds * failureThreshold >= 90)
})

test('the probes ask what is there, on the port that has it', async (t) => {
  const { app } = await startApp(t, { surface: 'operations' })
  const paths = [container.startupProbe, container.livenessProbe, container.readinessProbe].map(
    (probe) => ({ path: probe?.httpGet?.path, port: probe?.httpGet?.port }),
  )
  t.strictSame(paths, [
    { path: '/livez', port: 'ops' },
    { path: '/livez', port: 'ops' },
    { path: '/readyz', port: 'ops' },
  ])
  for (const { path = '' } of paths) {
    t.equal((await app.inject({ method: 'GET', url: path })).statusCode, 200, path)
  }
})
