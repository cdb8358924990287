// How a source file of ours is run as a process of its own: as scripts/test.mjs has built it for this
// run, which spares every process a second of transpiling, else through tsx.

import { join, relative } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** The arguments of node for `path`, a TypeScript file of this checkout or of another, or a built one. */
export function sourceArguments(path: string): string[] {
  const { TEST_BUILD: built, TEST_NODE_ARGS: args = '--enable-source-maps' } = process.env
  if (path.endsWith('.js')) return [...args.split(' '), path]
  const place = relative(ROOT, path)
  const isOurs = /^(src|test|bench|packages)\//.test(place)
  if (!built || !isOurs) return ['--import=tsx', path]
  return [...args.split(' '), join(built, place.replace(/\.ts$/, '.js'))]
}
