// The packages beside the service that others import, as JavaScript and declarations in their `dist`:
// what `npm start`, `npm run build` and `npm test` do first, and npm before it packs one. It is done only
// where the sources have changed. Run by itself it says why when it cannot.

import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hashFiles, listFiles } from './file-hash.mjs'

/** A package with this file is built; one without runs as it is. */
const CONFIG = 'tsconfig.build.json'
/** A file in `dist`, written last, which says what it was made from; npm does not pack it. */
const STAMP = 'stamp'

/** Throws with what is wrong with the sources; what is in `dist` then stays as it is. */
export function buildPackages(root) {
  const packages = join(root, 'packages')
  // An image is built without the folder.
  if (!existsSync(packages)) return
  for (const name of readdirSync(packages)) {
    if (existsSync(join(packages, name, CONFIG))) buildPackage(root, name)
  }
}

/**
 * Made aside and put in place file by file: whoever does the same at the same time, or imports, never
 * sees half of a file. `dist` is no link as the service's is, because npm packs none.
 */
function buildPackage(root, name) {
  const home = join(root, 'packages', name)
  const dist = join(home, 'dist')
  const stamp = stampOf(root, name)
  if (readText(join(dist, STAMP)) === stamp) return
  mkdirSync(join(root, '.build'), { recursive: true })
  const aside = mkdtempSync(join(root, '.build/package-'))
  try {
    compile(home, aside)
    const made = listFiles(aside, ['.'])
    for (const file of made) {
      mkdirSync(dirname(join(dist, file)), { recursive: true })
      renameSync(join(aside, file), join(dist, file))
    }
    for (const file of listFiles(dist, ['.'])) {
      if (!made.includes(file) && file !== STAMP) rmSync(join(dist, file), { force: true })
    }
    writeFileSync(join(aside, STAMP), stamp)
    renameSync(join(aside, STAMP), join(dist, STAMP))
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

function compile(home, outDir) {
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(dirname(typescript), 'bin/tsc'), '-p', CONFIG, '--outDir', outDir],
    { cwd: home, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`${home} cannot be built:\n${stdout}${stderr}`.trim())
}

/** The lock stands for the compiler. */
function stampOf(root, name) {
  const sources = ['tsconfig.json', 'package-lock.json', 'scripts/build-packages.mjs']
  const own = ['src', 'package.json', CONFIG].map((path) => join('packages', name, path))
  return hashFiles(root, listFiles(root, [...sources, ...own]))
}

function readText(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    buildPackages(dirname(dirname(fileURLToPath(import.meta.url))))
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
