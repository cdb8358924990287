// Every regular expression of our code, found by a parser of the language.

import { readdirSync, readFileSync } from 'node:fs'
import { tokenizer, tokTypes } from 'acorn'
import { transformSync } from 'esbuild'

const SOURCE = new URL('../../src/', import.meta.url)

export interface SourcePattern {
  /** From src, with slashes. */
  readonly file: string
  /** As it is written; that of `new RegExp` is not known, so it is called so. */
  readonly text: string
}

export function findPatterns(): readonly SourcePattern[] {
  return readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts') && !file.startsWith('generated/'))
    .sort()
    .flatMap((file) => patternsOf(file))
}

function patternsOf(file: string): SourcePattern[] {
  const text = readFileSync(new URL(file, SOURCE), 'utf8')
  const { code } = transformSync(text, { loader: 'ts', target: 'esnext', format: 'esm' })
  const found: SourcePattern[] = []
  for (const token of tokenizer(code, { ecmaVersion: 'latest', sourceType: 'module' })) {
    const word = code.slice(token.start, token.end)
    if (token.type === tokTypes.regexp) found.push({ file, text: word })
    if (word === 'RegExp') found.push({ file, text: 'new RegExp' })
  }
  return found
}
