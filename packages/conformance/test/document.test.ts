// README.md of the package against the checklist, the command and the mutations. Other tests compare
// what it says of results with runs.

import { PassThrough } from 'node:stream'
import { test } from 'tap'
import { CHECKLIST } from '../src/checklist.ts'
import { buildCommand } from '../src/command-line.ts'
import { COLUMNS, DOCUMENT, readColumn, readRows, readTable } from './conformance-document.ts'
import { MUTATIONS } from './stand-in/prove-mutations.ts'

const ROWS_OF_MUTATIONS = new Set(MUTATIONS.map(([, { row }]) => row))

test('it has every row of the checklist in its order and in its words', async (t) => {
  t.strictSame(
    readRows().map(({ row, level, sentence }) => ({ row, level, sentence })),
    CHECKLIST.map(({ row, level, sentence }) => ({ row, level, sentence })),
  )
})

test('it adds up its results rightly', async (t) => {
  const sums = readTable('Results').map((cells) => cells.join(' '))
  const count = (column: readonly string[], status: string) =>
    column.filter((cell) => cell.endsWith(` ${status}`)).length
  t.strictSame(
    sums,
    COLUMNS.map((name) => {
      const column = readColumn(name)
      return [name, ...['PASS', 'FAIL', 'SKIP'].map((status) => count(column, status))].join(' ')
    }),
  )
})

test('it says why for each row that fails somewhere, and for no other', async (t) => {
  const failed = readRows().filter(({ results }) => Object.values(results).includes('FAIL'))
  t.strictSame(
    readTable('Where oidc-provider fails').map(([row]) => row),
    failed.map(({ row }) => row),
  )
})

test('it counts the mistakes that were made on purpose', async (t) => {
  const [, mistakes, rows] = /\*\*(\d+) mistakes\*\* in\s+\*\*(\d+) rows\*\*/.exec(DOCUMENT) ?? []
  t.equal(Number(mistakes), MUTATIONS.length)
  t.equal(Number(rows), ROWS_OF_MUTATIONS.size)
})

test('it names the rows that no mistake proves', async (t) => {
  const unproven = CHECKLIST.filter((row) => !('unseen' in row) && !ROWS_OF_MUTATIONS.has(row.row))
  const [, names = ''] = /without a mistake of their own are ([^.]*)\./.exec(DOCUMENT) ?? []
  t.strictSame(
    names.match(/C\d+/g),
    unproven.map(({ row }) => row),
  )
})

test('it names every row that nobody sees from outside, with the reason', async (t) => {
  const unseen = CHECKLIST.flatMap((row) => ('unseen' in row ? [[row.row, row.unseen]] : []))
  t.strictSame(readTable('Rows that are not looked at'), unseen)
})

test('it explains every option of the command', async (t) => {
  const stream = () => new PassThrough()
  const command = buildCommand({ stdin: stream(), stdout: stream(), stderr: stream() })
  const options = command.options.map(({ long }) => long)
  const explained = readTable('Options').map(([option = '']) => /--[a-z-]+/.exec(option)?.[0])
  t.strictSame(explained.sort(), options.sort())
})
