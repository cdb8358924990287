// Every regular expression of our code, packages included, found by a parser of the language.

import { readdirSync, readFileSync } from 'node:fs'
import { tokenizer, tokTypes } from 'acorn'
import { transformSync } from 'esbuild'

const ROOT = new URL('../../', import.meta.url)

export interface SourcePattern {
  /** From src, or from the root where it is a package's; with slashes. */
  readonly file: string
  /** As it is written; that of `new RegExp` is not known, so it is called so. */
  readonly text: string
}

export function findPatterns(): readonly SourcePattern[] {
  const packages = readdirSync(new URL('packages/', ROOT))
  return ['src/', ...packages.map((name) => `packages/${name}/src/`)]
    .flatMap((folder) =>
      readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' }).map(
        (file) => `${folder}${file.replaceAll('\\', '/')}`,
      ),
    )
    .filter((path) => path.endsWith('.ts') && !path.startsWith('src/generated/'))
    .sort()
    .flatMap((path) => patternsOf(path))
}

function patternsOf(path: string): SourcePattern[] {
  const text = readFileSync(new URL(path, ROOT), 'utf8')
  const file = path.replace(/^src\//, '')
  const { code } = transformSync(text, { loader: 'ts', target: 'esnext', format: 'esm' })
  const found: SourcePattern[] = []
  for (const token of tokenizer(code, { ecmaVersion: 'latest', sourceType: 'module' })) {
    const word = code.slice(token.start, token.end)
    if (token.type === tokTypes.regexp) found.push({ file, text: word })
    if (word === 'RegExp') found.push({ file, text: 'new RegExp' })
  }
  return found
}
