// The sources and the tests as JavaScript, for the processes of one run of the tests: a process that
// transpiles what it imports takes twice as long to begin. A file's own place stays that of its
// source, so whatever it reads or starts from there is found.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, extname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { bundleTap } from './test-tap.mjs'
import { writeAside } from './write-aside.mjs'

const OUTPUT = '.tap/build'
const FOLDERS = ['src', 'test', 'bench', 'scripts', 'packages']

/** Builds all TypeScript of the checkout `root`; returns the folder that mirrors the checkout. */
export async function buildTests(root) {
  const outdir = join(root, OUTPUT)
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: FOLDERS.flatMap((folder) => listSources(root, folder)),
    outdir,
    outbase: root,
    bundle: true,
    treeShaking: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    sourcesContent: false,
    write: false,
    logLevel: 'silent',
    plugins: [onePerFile],
  })
  for (const { path, contents } of outputFiles) writeAside(path, contents)
  await bundleTap(root, outdir)
  return outdir
}

/** Every file is an entry of its own, and imports the others as they are built. */
const onePerFile = {
  name: 'one-per-file',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /./ }, ({ kind, path, resolveDir }) => {
      if (kind === 'entry-point') return undefined
      if (!path.startsWith('.')) return { path, external: true }
      const isBuilt = extname(path) === '.ts'
      return {
        path: isBuilt ? path.replace(/\.ts$/, '.js') : join(resolveDir, path),
        external: true,
      }
    })
    onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: keepPlace(readFileSync(path, 'utf8'), path),
      loader: 'ts',
    }))
  },
}

function keepPlace(source, path) {
  const place = { dirname: dirname(path), filename: path, url: pathToFileURL(path).href }
  return source.replace(/\bimport\.meta\.(dirname|filename|url)\b/g, (_, member) =>
    JSON.stringify(place[member]),
  )
}

function listSources(root, folder) {
  let entries
  try {
    entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
  } catch {
    return []
  }
  return entries
    .filter((entry) => entry.isFile() && extname(entry.name) === '.ts')
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !/(^|\/)(node_modules|dist)\//.test(path))
}
