// What Helm makes of the chart, as data.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { Job } from 'kubernetes-types/batch/v1.js'
import type { ConfigMap, Container, Pod, PodSpec, Secret } from 'kubernetes-types/core/v1.js'
import type { ObjectMeta } from 'kubernetes-types/meta/v1.js'
import { parseAllDocuments } from 'yaml'
import { CHART, type Values } from '../../deploy/chart.ts'
import type { Manifest } from '../../deploy/manifests.ts'
import { type Ended, runTool } from '../programs/helm.ts'

export const RELEASE = 'auth'
export const NAMESPACE = 'identity'
/** What the chart calls its objects in that release. */
export const NAME = 'auth-lineage'

/** Without a cluster to ask, Helm is told which it is. */
const CLUSTER = ['--kube-version', '1.30.0']

export interface Rendered {
  readonly manifests: readonly Manifest[]
  /** The objects of a kind. */
  all(kind: string): { readonly metadata: ObjectMeta }[]
  /** The one of a kind and of a name, which is the release's unless given. */
  find(kind: string, name?: string): unknown
  readonly deployment: Deployment
  /** Of the service. */
  readonly container: Container
  /** Every pod that the objects make: of the service, of the job, of the test. */
  readonly pods: readonly { readonly labels: Readonly<Record<string, string>>; spec: PodSpec }[]
}

/** Runs `helm template` with these values; `chart` is ours unless given. */
export function runTemplate(
  helm: string,
  values: Values,
  { chart = CHART, release = RELEASE, args = [] as readonly string[] } = {},
): Ended {
  return withValues(values, (file) =>
    runTool(
      ...([helm, 'template', release, chart, '--namespace', NAMESPACE] as const),
      ...['--values', file, ...CLUSTER, ...args],
    ),
  )
}

/** Runs something on a file with values. */
export function withValues<T>(values: Values, run: (file: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'lineage-values-'))
  try {
    const file = join(dir, 'values.yaml')
    writeFileSync(file, JSON.stringify(values))
    return run(file)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Throws what Helm says where it refuses the values. */
export function renderChart(
  helm: string,
  values: Values,
  options?: Parameters<typeof runTemplate>[2],
): Rendered {
  const { status, stdout, stderr } = runTemplate(helm, values, options)
  if (status !== 0) throw new Error(stderr)
  return toRendered(readObjects(stdout))
}

/** The documents of a stream, as YAML 1.1. */
export function readObjects(text: string): Manifest[] {
  return parseAllDocuments(text, { version: '1.1' }).flatMap((document) => {
    if (document.errors.length > 0) throw new Error(document.errors.join(' '))
    const body = document.toJS() as { apiVersion: string; kind: string } | null
    if (body === null) return []
    return { file: 'rendered.yaml', apiVersion: body.apiVersion, kind: body.kind, body }
  })
}

function toRendered(manifests: readonly Manifest[]): Rendered {
  const all: Rendered['all'] = (kind) =>
    manifests.filter((one) => one.kind === kind).map(({ body }) => body as { metadata: ObjectMeta })
  const find: Rendered['find'] = (kind, name = NAME) => {
    const found = all(kind).filter(({ metadata }) => metadata.name === name)
    if (found.length !== 1) throw new Error(`${found.length} objects are the ${kind} ${name}`)
    return found[0]
  }
  const [deployment] = all('Deployment') as Deployment[]
  const container = deployment?.spec?.template.spec?.containers[0]
  if (!deployment || !container) throw new Error('no container serves')
  const templates = [...(all('Deployment') as Deployment[]), ...(all('Job') as Job[])].map(
    ({ spec }) => spec?.template,
  )
  const pods = [...templates, ...(all('Pod') as Pod[])].map((pod) => ({
    labels: pod?.metadata?.labels ?? {},
    spec: pod?.spec as PodSpec,
  }))
  return { manifests, all, find, deployment, container, pods }
}

/** Reads a path of a container as its volumes show it; `foreign` has the keys of Secrets that are yours. */
export function readMounted(
  { all }: Rendered,
  pod: PodSpec,
  path: string,
  foreign: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): string {
  const mount = pod.containers[0]?.volumeMounts?.find((one) => path.startsWith(`${one.mountPath}/`))
  const volume = pod.volumes?.find(({ name }) => name === mount?.name)
  const file = path.slice((mount?.mountPath.length ?? 0) + 1)
  const sources = volume?.projected?.sources ?? []
  for (const { secret, configMap } of [...sources, { configMap: volume?.configMap }]) {
    const source = secret ?? configMap
    const name = source?.name ?? ''
    const item = source?.items?.find((one) => one.path === file)
    const key = source?.items ? item?.key : file
    if (key === undefined) continue
    const found = secret
      ? (all('Secret') as Secret[]).find(({ metadata }) => metadata?.name === name)?.stringData
      : (all('ConfigMap') as ConfigMap[]).find(({ metadata }) => metadata?.name === name)?.data
    const text = (found ?? foreign[name])?.[key]
    if (text !== undefined) return text
  }
  throw new Error(`nothing is at ${path}`)
}

/** The variables of a container, but for those of its image. */
export function environmentOf({ find }: Rendered, container: Container): Record<string, string> {
  const maps = (container.envFrom ?? []).map(
    ({ configMapRef }) => (find('ConfigMap', configMapRef?.name) as ConfigMap).data ?? {},
  )
  const own = (container.env ?? []).map(({ name, value = '' }) => [name, value])
  return Object.assign({}, ...maps, Object.fromEntries(own))
}
