// One hash over many files, which tells whether anything is as it was.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The files at and below `paths`, which are relative to `root`, in an order that is always the same. */
export function listFiles(root, paths) {
  return paths.flatMap((path) => {
    const stats = statSync(join(root, path), { throwIfNoEntry: false })
    if (!stats) return []
    return stats.isDirectory() ? listDirectory(root, path) : [path]
  })
}

function listDirectory(root, directory) {
  const entries = readdirSync(join(root, directory), { withFileTypes: true })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  return entries.flatMap((entry) => {
    const path = join(directory, entry.name)
    return entry.isDirectory() ? listDirectory(root, path) : [path]
  })
}

/** Over names and contents: a checkout gives files new times, and a copy may keep old ones. */
export function hashFiles(root, files) {
  const hash = createHash('sha256')
  for (const file of files) {
    const content = readFileSync(join(root, file))
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}
