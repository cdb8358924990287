// The texts of the repository as a reader meets them: which files there are, and of each what is prose:
// a document as a whole, of source code the comments.

import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Made by programs, or not kept in the repository. */
const SKIPPED = new Set(['node_modules', 'dist', 'generated', 'coverage'])
const HIDDEN_BUT_OURS = new Set(['.ci', '.env.example', '.npmrc'])

/** How a comment begins and ends; a document is all prose. */
const DOUBLE_SLASH = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm
const DASHES = /(?<=^|\s)--.*$/gm
const HASH = /(?<=^|\s)#.*$/gm
const COMMENTS: Readonly<Record<string, RegExp>> = {
  '.ts': DOUBLE_SLASH,
  '.mjs': DOUBLE_SLASH,
  '.js': DOUBLE_SLASH,
  '.css': DOUBLE_SLASH,
  '.prisma': DOUBLE_SLASH,
  '.lua': DASHES,
  '.sql': DASHES,
  '.yaml': HASH,
  '.yml': HASH,
  '.conf': HASH,
  '.cfg': HASH,
  '.sh': HASH,
  '.py': HASH,
  '.rb': HASH,
  '': HASH,
}

export interface RepositoryText {
  /** From the root, with slashes. */
  readonly path: string
  readonly text: string
  /** All of a document; the comments of everything else, one after the other. */
  readonly prose: string
}

/** Every file of the repository, from its root. */
export function listFiles(under = ''): string[] {
  return readdirSync(join(ROOT, under), { withFileTypes: true }).flatMap((entry) => {
    const { name } = entry
    if (SKIPPED.has(name) || (name.startsWith('.') && !HIDDEN_BUT_OURS.has(name))) return []
    // A link leads to what is listed where it stands.
    if (entry.isSymbolicLink()) return []
    const path = under === '' ? name : `${under}/${name}`
    return entry.isDirectory() ? listFiles(path) : [path]
  })
}

/** Those of the files that hold text. */
export function readTexts(paths: readonly string[]): RepositoryText[] {
  return paths
    .filter((path) => path.endsWith('.md') || COMMENTS[extname(path)] !== undefined)
    .map((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8')
      const comment = COMMENTS[extname(path)]
      const prose = path.endsWith('.md') || !comment ? text : (text.match(comment) ?? []).join('\n')
      return { path, text, prose }
    })
}
