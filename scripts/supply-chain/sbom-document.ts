// What the service is made of, as CycloneDX. npm reads it from the lock file, which is the same on every
// platform; what npm makes anew at each run, and takes from the name of the folder, is replaced by what follows
// from the content, so the same commit gives the same bytes.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the Dockerfile leaves out. */
export const OF_IMAGE = ['--omit=dev', '--omit=optional', '--workspaces=false'] as const

const OUTPUT_MAX = 64 * 1024 * 1024

interface Component {
  readonly 'bom-ref': string
}

/** The members that are read here; npm writes more. */
interface NpmBom {
  readonly serialNumber: string
  readonly metadata: { readonly timestamp: string; readonly component: Component }
  readonly components: readonly Component[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[]
}

export type Bom = Omit<NpmBom, 'metadata'> & {
  readonly metadata: Omit<NpmBom['metadata'], 'timestamp'>
}

/** Of the checkout `root`; `omitted` are arguments of npm. Throws with what npm says. */
export function makeBom(root: string, omitted: readonly string[] = []): Bom {
  const { status, stdout, stderr } = spawnSync(
    'npm',
    ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', ...omitted],
    { cwd: root, encoding: 'utf8', maxBuffer: OUTPUT_MAX },
  )
  if (status !== 0) throw new Error(`npm sbom: ${stderr || stdout}`)
  const { name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { name: string }
  return settle(JSON.parse(stdout) as NpmBom, name)
}

function settle(made: NpmBom, name: string): Bom {
  const { serialNumber: _random, metadata, components, dependencies, ...head } = made
  const { timestamp: _moment, ...rest } = metadata
  const settled = {
    metadata: { ...rest, component: { ...rest.component, name, type: 'application' } },
    components: components.toSorted((a, b) => compare(a['bom-ref'], b['bom-ref'])),
    dependencies: dependencies
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.toSorted() }))
      .sort((a, b) => compare(a.ref, b.ref)),
  }
  return { ...head, serialNumber: numberOf(JSON.stringify(settled)), ...settled }
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** A UUID of version 8, whose bits may follow from anything (RFC 9562 §5.8). */
function numberOf(content: string): string {
  const bytes = createHash('sha256').update(content).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)]
  return `urn:uuid:${[...parts, hex.slice(20)].join('-')}`
}
