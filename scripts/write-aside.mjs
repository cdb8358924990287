// A file that another process may be reading meanwhile.

import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Whoever reads `path` finds what was there before or the whole of `contents`. */
export function writeAside(path, contents) {
  const aside = `${path}.${process.pid}`
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(aside, contents)
  renameSync(aside, path)
}
