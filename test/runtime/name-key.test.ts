// Case folding against a table that another implementation has computed, and the keys made of it.

import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { foldCase, nameKey } from '../../src/runtime/name-key.ts'

const TABLE = readFileSync(new URL('case-folding.txt', import.meta.url), 'utf8')
const CODE_POINT_MAX = 0x10_ff_ff
const charOf = (code: number) => String.fromCodePoint(code)
const codeOf = (hex: string | undefined) => Number.parseInt(hex ?? '', 16)

function* rangeOf(from: number, to: number, step = 1) {
  for (let code = from; code <= to; code += step) yield code
}

/** What each letter folds to, and the code points of which the table knows nothing. */
function readTable() {
  const folded = new Map<number, string>()
  const unknown = new Set<number>(rangeOf(0xd800, 0xdfff))
  for (const line of TABLE.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [first, second, third, fourth] = line.split(' ')
    if (first === '?') {
      for (const code of rangeOf(codeOf(second), codeOf(third))) unknown.add(code)
    } else if (second === '=') {
      const codes = line.split(' ').slice(2).map(codeOf)
      folded.set(codeOf(first), String.fromCodePoint(...codes))
    } else {
      for (const code of rangeOf(codeOf(first), codeOf(second), Number(third))) {
        folded.set(code, charOf(code + Number(fourth)))
      }
    }
  }
  return { folded, unknown }
}

test('every code point folds as Unicode says', async (t) => {
  const { folded, unknown } = readTable()
  t.equal(folded.size, 1530)
  const wrong = [...rangeOf(0, CODE_POINT_MAX)].filter((code) => {
    if (unknown.has(code)) return false
    return foldCase(charOf(code)) !== (folded.get(code) ?? charOf(code))
  })
  t.strictSame(
    wrong.map((code) => code.toString(16)),
    [],
  )
})

test('a letter folds alike wherever it stands in a word', async (t) => {
  const { folded, unknown } = readTable()
  const wrong = [...folded].filter(([code, want]) => {
    const letter = charOf(code)
    return foldCase(`Α${letter}Α ${letter}`) !== `α${want}α ${want}`
  })
  t.strictSame(wrong, [])
  t.notOk(unknown.has(0x3c2))
})

test('a key is its own key, and that of every spelling in other case or form', async (t) => {
  const wrong: string[] = []
  for (const code of rangeOf(0, CODE_POINT_MAX)) {
    const letter = charOf(code)
    const key = nameKey(letter)
    const spellings = [
      ...[key, letter.toLowerCase(), letter.normalize('NFD'), letter.normalize('NFKD')],
      // A capital without a dot is the one of i.
      ...(letter === 'ı' ? [] : [letter.toUpperCase()]),
    ]
    if (spellings.some((spelling) => nameKey(spelling) !== key)) wrong.push(code.toString(16))
  }
  t.strictSame(wrong, [])
})

test('names of real people meet', async (t) => {
  const pairs = [
    ['γιωργος.παπας', 'ΓΙΩΡΓΟΣ.ΠΑΠΑΣ'],
    ['straße', 'STRASSE'],
    ['STRAẞE', 'strasse'],
    ['ﬁne', 'FINE'],
    ['ΰ', 'ΰ'.toUpperCase()],
    ['Ꭰꭰ', 'ꭰꭰ'],
    ['Ⅷ', 'viii'],
    ['İstanbul', 'i\u0307stanbul'],
  ]
  for (const [one = '', other = ''] of pairs) t.equal(nameKey(one), nameKey(other), one)
  t.not(nameKey('ısı'), nameKey('isi'), 'the dotless i is another letter')
  t.equal(nameKey('ΑΣ.σς'), 'ασ.σσ')
})
