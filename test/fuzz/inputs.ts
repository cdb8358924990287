// Inputs in files, one a line, as JSON texts of which each character is a byte: they can be read, compared and
// reviewed. `corpus` is what reaches everything that was reached, `cases` is what once broke something.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../support/repository-text.ts'

export type Shelf = 'corpus' | 'cases'

/** Empty where there is no file. */
export function readInputs(shelf: Shelf, name: string): Buffer[] {
  const path = pathOf(shelf, name)
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines
    .filter((line) => line !== '')
    .map((line) => Buffer.from(JSON.parse(line) as string, 'latin1'))
}

export function writeInputs(shelf: Shelf, name: string, inputs: readonly Buffer[]): void {
  if (inputs.length === 0) return
  const lines = inputs.map((input) => toLine(input)).sort()
  writeFileSync(pathOf(shelf, name), lines.map((line) => `${line}\n`).join(''))
}

function pathOf(shelf: Shelf, name: string): string {
  return join(ROOT, 'test/fuzz', shelf, `${name}.txt`)
}

function toLine(input: Buffer): string {
  return JSON.stringify(input.toString('latin1')).replaceAll(
    /[\x7f-\xff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
