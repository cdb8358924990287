// SECURITY.md: what the drawing shows has a row for each threat that applies to it, and each row a defence
// and a test that are there.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { ROOT } from '../support/repository-text.ts'

const TEXT = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8')

/** By the shape in the drawing; the log and whoever is outside may be denied to have said something. */
const APPLIES = { outside: 'SR', process: 'STRIDE', store: 'TID', flow: 'TID' }
const ALSO: Readonly<Record<string, string>> = { log: 'R' }

interface Row {
  readonly element: string
  readonly letters: readonly string[]
  readonly defence: string
  readonly test: string
}

function readDrawing(): ReadonlyMap<string, string> {
  const [, drawing = ''] = /```mermaid\n([\s\S]*?)```/.exec(TEXT) ?? []
  const elements = new Map<string, string>()
  const shapes = [
    [/^ +(\w+)\[(?!\()/gm, APPLIES.outside],
    [/^ +(\w+)\(\(/gm, APPLIES.process],
    [/^ +(\w+)\[\(/gm, APPLIES.store],
    [/-->\|([\w ]+)\|/g, APPLIES.flow],
  ] as const
  for (const [shape, letters] of shapes) {
    for (const [, name = ''] of drawing.matchAll(shape)) {
      elements.set(name, letters + (ALSO[name] ?? ''))
    }
  }
  return elements
}

function readRows(): readonly Row[] {
  return [...TEXT.matchAll(/^\| ([\w ]+) \| ([STRIDE](?:, [STRIDE])*) \| (.*) \|$/gm)].map(
    ([, element = '', letters = '', rest = '']) => {
      const [, defence = '', proof = ''] = rest.split(' | ')
      return { element, letters: letters.split(', '), defence, test: proof }
    },
  )
}

const ELEMENTS = readDrawing()
const ROWS = readRows()
/** What only who runs the service can do. */
const OPERATORS = "the operator's"

test('every element of the drawing has a row for each threat that applies, and no row is of nothing', async (t) => {
  t.ok(ELEMENTS.size > 15, 'the drawing was read')
  for (const [element, letters] of ELEMENTS) {
    const rows = ROWS.filter((row) => row.element === element)
    const said = new Set(rows.flatMap((row) => row.letters))
    t.strictSame([...said].sort(), [...letters].sort(), element)
  }
  for (const { element } of ROWS) if (!ELEMENTS.has(element)) t.fail(`${element} is not drawn`)
})

test('every defence names a file that is there, and every row a test that is there', async (t) => {
  for (const { element, letters, defence, test: proof } of ROWS) {
    const row = `${element} ${letters.join()}`
    const [, path, name] = /^`(test\/[\w./-]+\.test\.ts)`: (.+)$/.exec(proof) ?? []
    if (proof === OPERATORS) continue
    const files = [...defence.matchAll(/`((?:src|scripts)\/[\w./-]+|Dockerfile)`/g)]
    if (files.length === 0) t.match(defence, /\]\(docs\//, `${row} names a file or a document`)
    for (const [, file = ''] of files) if (!existsSync(join(ROOT, file))) t.fail(`${row}: ${file}`)
    if (path === undefined || name === undefined) t.fail(`${row} names no test: ${proof}`)
    else if (!hasTest(path, name)) t.fail(`${row}: ${path} has no test "${name}"`)
  }
})

/** By its name as it is written, whatever its quotes. */
function hasTest(path: string, name: string): boolean {
  if (!existsSync(join(ROOT, path))) return false
  const text = readFileSync(join(ROOT, path), 'utf8').replaceAll("\\'", "'")
  const start = text.indexOf(name)
  return start > 0 && /test\(\s*['"`][^\n]*$/.test(text.slice(Math.max(0, start - 40), start))
}
