// The compiled service. Each build is a directory below .build/, made from a copy of the sources that
// lies in it, and `dist` is a symbolic link to the compiled code of the newest. No system replaces a
// directory in one step, but each replaces a link so. Whoever starts from `dist` therefore finds a
// whole build, and stays with it, because Node follows the link once. That needs no lock: two who build
// at the same time make one each, and both are good.

import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { hashFiles, listFiles } from './file-hash.mjs'
import { generate } from './generated-code.mjs'

/** Everything that the compiled code depends on; the lock stands for packages and compiler. */
const SOURCES = [
  'src',
  'prisma',
  'scripts/api-page',
  'scripts/builds.mjs',
  'scripts/file-hash.mjs',
  'scripts/generated-code.mjs',
  'openapi.yaml',
  'package.json',
  'package-lock.json',
  'prisma.config.ts',
  'tsconfig.json',
  'tsconfig.build.json',
]
/** Comes from the other sources. */
const GENERATED = 'src/generated/'
/** What the service reads at run time, and the compiler leaves behind. */
const ASSET = /\.(lua|mjs|css|svg|json|html|wasm|txt)$/

/** A file in `dist`, written last: which sources it was made from, and when. */
const STAMP = 'stamp'
/** A process reads its build only while it starts, and the ones before may be starting. */
const KEPT_BUILDS = 3
/** What is not finished by then was killed. */
const UNFINISHED_MAX_MS = 3_600_000

/** Builds unless `dist` is of the present sources; throws with what is wrong with them. */
export async function build(root) {
  const dist = join(root, 'dist')
  if (readStamp(dist) === stampOf(root, dist)) return
  // Whoever may read the checkout may run it, so this is no private directory as mkdtemp makes one.
  const made = join(root, '.build', `build-${randomUUID().slice(0, 8)}`)
  mkdirSync(made, { recursive: true })
  try {
    await makeBuild(root, made)
  } catch (error) {
    rmSync(made, { recursive: true, force: true })
    const rest = existsSync(dist) ? 'dist is still the build before' : 'there is no build yet'
    throw new Error(`${error.message}\nThe build failed, and nothing has changed: ${rest}.`)
  }
  replaceLink(root, basename(made))
  removeOldBuilds(root)
}

/** Compiles a copy of the sources, so that one that is edited meanwhile is not half in it. */
async function makeBuild(root, made) {
  for (const path of SOURCES) cpSync(join(root, path), join(made, path), { recursive: true })
  await generate(made)
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(dirname(typescript), 'bin/tsc'), '-p', 'tsconfig.build.json'],
    { cwd: made, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`${stdout}${stderr}`.trim())
  for (const file of listFiles(join(made, 'src'), ['.'])) {
    if (ASSET.test(file)) cpSync(join(made, 'src', file), join(made, 'dist', file))
  }
  // npm makes a program executable when it links it, and a link that is there already leads to each new build.
  const { bin } = JSON.parse(readFileSync(join(made, 'package.json'), 'utf8'))
  for (const program of Object.values(bin)) {
    if (existsSync(join(made, program))) chmodSync(join(made, program), 0o755)
  }
  writeFileSync(join(made, 'dist', STAMP), stampOf(made, join(made, 'dist')))
}

function readStamp(dist) {
  const path = join(dist, STAMP)
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

/** The time of a compiled file is in it, because an older release that is run here compiles into `dist`. */
function stampOf(root, dist) {
  const files = listFiles(root, SOURCES).filter((file) => !file.startsWith(GENERATED))
  const main = statSync(join(dist, 'main.js'), { throwIfNoEntry: false })
  return `${hashFiles(root, files)} ${main?.mtimeMs}`
}

/** Two links at one time have two names. */
function replaceLink(root, name) {
  const dist = join(root, 'dist')
  const link = join(root, '.build', `link-${name}`)
  symlinkSync(join('.build', name, 'dist'), link)
  // Releases before this one had a directory there, which a rename does not replace.
  if (lstatSync(dist, { throwIfNoEntry: false })?.isDirectory()) {
    renameSync(dist, join(root, '.build', `old-${name}`))
  }
  renameSync(link, dist)
}

function removeOldBuilds(root) {
  const directory = join(root, '.build')
  // Of a link itself: what it leads to is to be found from the root, not from here.
  const timeOf = (path) => lstatSync(path, { throwIfNoEntry: false })?.mtimeMs
  const finishedAt = (name) => timeOf(join(directory, name, 'dist', STAMP))
  const names = readdirSync(directory)
  const finished = names.filter((name) => finishedAt(name) !== undefined)
  finished.sort((a, b) => finishedAt(b) - finishedAt(a))
  const killed = names.filter((name) => {
    const at = timeOf(join(directory, name)) ?? 0
    return !finished.includes(name) && at < Date.now() - UNFINISHED_MAX_MS
  })
  for (const name of [...finished.slice(KEPT_BUILDS), ...killed]) {
    rmSync(join(directory, name), { recursive: true, force: true, maxRetries: 3 })
  }
}
