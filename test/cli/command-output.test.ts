// What people see: columns that line up, and nothing that writes to the terminal in our name.

import { test } from 'tap'
import { formatRecord, formatTable } from '../../src/cli/command-output.ts'
import { toPrintable } from '../../src/runtime/printable.ts'

test('a table has a title over each column, and a dash for what is not there', async (t) => {
  const rows = [
    { id: 'a', createdAt: new Date(0), scopes: ['x', 'y'], ip: '' },
    { id: 'longer', createdAt: null, scopes: [], ip: undefined },
  ]
  t.equal(
    formatTable(rows, ['id', 'createdAt', 'scopes', 'ip']),
    [
      'ID      CREATED AT                SCOPES  IP',
      'a       1970-01-01T00:00:00.000Z  x y     -',
      'longer  -                         -       -',
    ].join('\n'),
  )
  t.equal(formatTable([], ['id']), 'ID')
})

test('a record has one member a line and leaves out what is undefined', async (t) => {
  const text = formatRecord({ id: 'a', emailVerified: false, count: 2, gone: undefined })
  t.equal(text, 'id             a\nemailVerified  false\ncount          2')
})

test('no escape sequence, line or reversal of a user agent reaches the terminal', async (t) => {
  const hostile = 'curl\u001b[2J\u009b31m\r\nok\u202etxt\u2028\ud800'
  t.equal(toPrintable(hostile), 'curl?[2J?31m??ok?txt??')
  t.equal(formatTable([{ userAgent: hostile }], ['userAgent']).split('\n').length, 2)
  t.equal(toPrintable('Zoë 日本'), 'Zoë 日本')
})
