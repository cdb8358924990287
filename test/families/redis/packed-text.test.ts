// The packed forms of texts: shorter for browsers, exact for everything, and one for each text.

import fc from 'fast-check'
import { test } from 'tap'
import {
  packText,
  packWords,
  unpackText,
  unpackWords,
} from '../../../src/families/redis/packed-text.ts'

const BROWSERS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0',
]
/** Pieces that meet the phrases of the table, its characters and what marks a text kept as it is. */
const piece = fc.oneof(
  fc.string(),
  fc.constantFrom(
    ...BROWSERS,
    '\0',
    '\u0001',
    '\u001d',
    ' Safari/537.36',
    'https://',
    'Zoë',
    '\ud83e',
  ),
)

test('what is packed is what was there', (t) => {
  const text = fc.array(piece).map((pieces) => pieces.join(''))
  fc.assert(fc.property(text, (text) => unpackText(packText(text)) === text))
  const different = fc.tuple(text, text).filter(([one, other]) => one !== other)
  fc.assert(fc.property(different, ([one, other]) => packText(one) !== packText(other)))
  const words = fc.array(fc.stringMatching(/^[!-~]+$/))
  fc.assert(
    fc.property(words, (words) => unpackWords(packWords(words)).join(' ') === words.join(' ')),
  )
  t.strictSame(unpackWords(packWords([])), [])
  t.end()
})

test('a browser takes a few bytes', (t) => {
  for (const browser of BROWSERS) t.ok(packText(browser).length <= 24, packText(browser))
  t.end()
})
