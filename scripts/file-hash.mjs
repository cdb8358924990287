// One hash over names and contents of files: what tells whether anything is as it was. Times of files
// do not tell: a checkout sets them anew, and a copy keeps them.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The files at and below `paths`, which are relative to `root`, in an order that is always the same. */
export function listFiles(root, paths) {
  return paths.flatMap((path) => {
    const stats = statSync(join(root, path), { throwIfNoEntry: false })
    if (!stats) return []
    if (!stats.isDirectory()) return [path]
    const names = readdirSync(join(root, path)).sort()
    return listFiles(
      root,
      names.map((name) => join(path, name)),
    )
  })
}

/** In hexadecimal digits. */
export function hashFiles(root, files) {
  const hash = createHash('sha256')
  for (const file of files) {
    const content = readFileSync(join(root, file))
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}
