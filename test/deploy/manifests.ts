// The manifests of deploy/kubernetes as data, and whether Kubernetes would take a manifest: types that
// are generated from its OpenAPI schema, held against it by the compiler, which also finds misspelt
// members.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDER = join(ROOT, 'deploy/kubernetes')
const TYPES = join(ROOT, 'node_modules/kubernetes-types')
/** Packages whose types are generated from the definitions of custom resources, by their group. */
const CUSTOM_TYPES: Readonly<Record<string, string>> = {
  'monitoring.coreos.com': join(ROOT, 'node_modules/@kubernetes-models/prometheus-operator'),
  'gateway.networking.k8s.io': join(ROOT, 'node_modules/@kubernetes-models/gateway-api'),
}
const COMPILER = join(ROOT, 'node_modules/typescript/bin/tsc')

export interface Manifest {
  readonly file: string
  readonly apiVersion: string
  readonly kind: string
  /** The whole object. */
  readonly body: unknown
}

/** YAML 1.1, as Kubernetes reads it. */
export function readManifests(): Manifest[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.yaml') && file !== 'kustomization.yaml')
    .flatMap((file) =>
      parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8'), { version: '1.1' }).map(
        (document) => {
          if (document.errors.length > 0) throw new Error(`${file}: ${document.errors.join(' ')}`)
          const body = document.toJS() as { apiVersion: string; kind: string }
          return { file, apiVersion: body.apiVersion, kind: body.kind, body }
        },
      ),
    )
}

export function readKustomization(): unknown {
  const text = readFileSync(join(FOLDER, 'kustomization.yaml'), 'utf8')
  return parseAllDocuments(text, { version: '1.1' })[0]?.toJS()
}

/** The only object of a kind and, where there are more, of a name. */
export function findManifest(kind: string, name = 'lineage'): unknown {
  const found = readManifests().filter(
    ({ kind: one, body }) =>
      one === kind && (body as { metadata: { name: string } }).metadata.name === name,
  )
  if (found.length !== 1) throw new Error(`${found.length} manifests are the ${kind} ${name}`)
  return found[0]?.body
}

/** What the compiler says of each object as one of its type; empty when it has nothing to say. */
export function checkAgainstSchema(manifests: readonly Manifest[]): string[] {
  const dir = mkdtempSync(join(tmpdir(), 'lineage-manifests-'))
  try {
    const names = manifests.map((manifest, index) => {
      const name = `${index}-${manifest.file.replace(/\.yaml$/, '')}-${manifest.kind}.ts`
      writeFileSync(join(dir, name), moduleOf(manifest))
      return name
    })
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--ignoreConfig']
    const modules = ['--module', 'esnext', '--moduleResolution', 'bundler']
    // tap would load itself into every Node child.
    const command = ['-u', 'NODE_OPTIONS', process.execPath, COMPILER, ...options, ...modules]
    const { status, stdout, stderr } = spawnSync('env', [...command, ...names], {
      cwd: dir,
      encoding: 'utf8',
    })
    const problems = stdout.split('\n').filter((line) => line !== '')
    if ((status === 0) !== (problems.length === 0)) throw new Error(`the compiler broke: ${stderr}`)
    return problems
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function moduleOf({ apiVersion, kind, body }: Manifest): string {
  const { path, type } = typeOf(apiVersion, kind)
  return `import type { ${type} } from ${JSON.stringify(path)}
export const manifest: Required<Pick<${type}, 'apiVersion' | 'kind'>> & ${type} =
  ${JSON.stringify(body, null, 1)}
`
}

/** Where the type of a kind is, and what it is called there. */
function typeOf(apiVersion: string, kind: string): { path: string; type: string } {
  const [group = '', version = ''] = apiVersion.includes('/')
    ? apiVersion.split('/')
    : ['core', apiVersion]
  const custom = CUSTOM_TYPES[group]
  if (custom) return { path: join(custom, group, version, kind), type: `I${kind}` }
  return { path: join(TYPES, group.replace(/\.k8s\.io$/, ''), version), type: kind }
}
