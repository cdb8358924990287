// Debian's buildah and podman, where this machine lets them work: the image of the Dockerfile built
// on a stand-in for its base, and containers of it. Nothing is pulled from anywhere.

import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { baseImage } from '../deploy/dockerfile.ts'
import { installDebianPackages } from './debian-packages.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const IMAGE = 'localhost/lineage-test'

/** Each is the name of a Debian package, too. runc, because it also does without cgroups v2. */
const PROGRAMS = ['buildah', 'podman', 'runc', 'mmdebstrap']
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'

// A store of its own: nobody's build elsewhere must find the stand-in in place of the real base.
const STORE = join(tmpdir(), 'lineage-containers')
mkdirSync(STORE, { recursive: true })
process.env.CONTAINERS_STORAGE_CONF = join(STORE, 'storage.conf')
writeFileSync(
  process.env.CONTAINERS_STORAGE_CONF,
  `[storage]
driver = "overlay"
graphroot = "${STORE}/images"
runroot = "${STORE}/run"
`,
)

/** Why no container can be made here; installs what is missing where apt-get may. */
export function whyNoContainers(): string | undefined {
  if (process.platform !== 'linux') return 'containers need Linux'
  if (process.getuid?.() !== 0) return 'containers are made by root here'
  installDebianPackages(PROGRAMS.filter((name) => !isThere(name)))
  const missing = PROGRAMS.filter((name) => !isThere(name))
  return missing.length > 0 ? `not on this machine: ${missing.join(', ')}` : undefined
}

export function isThere(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
}

export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end, whatever that is; without what tap puts into the environment. */
export function attempt(program: string, ...args: readonly string[]): Ended {
  return spawnSync('env', ['-u', 'NODE_OPTIONS', program, ...args], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
}

/** The same for what has to succeed: gives what it printed. */
export function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = attempt(program, ...args)
  if (status !== 0) throw new Error(`${program} ${args[0]}: ${stdout.slice(-1000)} ${stderr}`)
  return stdout.trim()
}

/** Makes a stand-in for the Dockerfile's base, unless an earlier run has. */
export function ensureBaseImage(): void {
  const name = baseImage()
  if (attempt('buildah', 'inspect', '--type', 'image', name).status === 0) return
  const dir = mkdtempSync(join(tmpdir(), 'lineage-base-'))
  try {
    const root = join(dir, 'root')
    const suite = /-([a-z]+)-slim$/.exec(name)?.[1] ?? ''
    run('mmdebstrap', '--quiet', '--variant=essential', '--include=libstdc++6', suite, root)
    addNode(dir, root, /:([\d.]+)-/.exec(name)?.[1] ?? '')
    appendFileSync(join(root, 'etc/passwd'), 'node:x:1000:1000::/home/node:/bin/sh\n')
    appendFileSync(join(root, 'etc/group'), 'node:x:1000:\n')
    const container = run('buildah', 'from', 'scratch')
    run('buildah', 'add', '--quiet', container, root, '/')
    const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    run('buildah', 'config', '--env', `PATH=${path}`, container)
    run('buildah', 'commit', '--quiet', '--rm', '--format', 'docker', container, name)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Node of exactly that version, from npm's package of its binary, and the npm of this machine. */
function addNode(dir: string, root: string, version: string): void {
  const name = `node-linux-${process.arch}`
  const options = ['--silent', '--no-save', '--ignore-scripts', '--min-release-age=7']
  run('npm', 'install', ...options, '--prefix', join(dir, 'node'), `${name}@${version}`)
  const local = join(root, 'usr/local')
  copyFileSync(join(dir, 'node/node_modules', name, 'bin/node'), join(local, 'bin/node'))
  chmodSync(join(local, 'bin/node'), 0o755)
  const npm = join(run('npm', 'root', '--global'), 'npm')
  cpSync(npm, join(local, 'lib/node_modules/npm'), { recursive: true })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin/npm'))
  // The certificates by which this machine reaches the registry.
  if (!existsSync(CERTIFICATES)) return
  mkdirSync(join(root, dirname(CERTIFICATES)), { recursive: true })
  copyFileSync(CERTIFICATES, join(root, CERTIFICATES))
  mkdirSync(join(local, 'etc'), { recursive: true })
  writeFileSync(join(local, 'etc/npmrc'), `cafile=${CERTIFICATES}\n`)
}

/** Builds the Dockerfile, as it is, from the sources as they are. */
export function buildImage(): void {
  const cache = run('npm', 'config', 'get', 'cache')
  mkdirSync(cache, { recursive: true })
  const how = ['--format', 'docker', '--isolation', 'chroot', '--pull-never']
  run('buildah', 'bud', ...how, '--volume', `${cache}:/root/.npm`, '--tag', IMAGE, ROOT)
}

/** `podman run` as docker-compose.yml and the Deployment lock it down; in the network of this host. */
export function podmanRun(...args: readonly string[]): Ended {
  const locked = ['--read-only', '--read-only-tmpfs=false', '--cap-drop=ALL']
  // No systemd need be here, which podman would have ask for the health.
  const here = ['--network=host', '--health-interval=disable', '--ulimit=nofile=1024:1024']
  const limits = ['--ulimit=nproc=4096:4096', '--pull=never']
  return attempt(
    ...(['podman', '--runtime', 'runc', 'run', ...locked] as const),
    ...['--security-opt=no-new-privileges', ...here, ...limits, ...args],
  )
}
