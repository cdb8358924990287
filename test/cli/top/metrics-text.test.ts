// The text format of Prometheus: what is of it is read, and anything else is refused as a whole.

import { test } from 'tap'
import { MetricsTextError, parseMetricsText } from '../../../src/cli/top/metrics-text.ts'

function read(text: string) {
  return [...parseMetricsText(text)].map(([name, samples]) => [
    name,
    samples.map(({ labels, value }) => [Object.fromEntries(labels), value]),
  ])
}

test('samples are read with their labels, escapes, values and moments', async (t) => {
  const text = [
    '# HELP a_total What it counts.',
    '# TYPE a_total counter',
    'a_total{x="1",y="two, \\"three\\" \\\\ {four}\\nfive"} 12 1796068929000',
    'a_total{x="2",} 0.5',
    '',
    'b 1e-3',
    'c:rate{} +Inf',
    'd\t-Inf',
    'e NaN ',
    '# EOF',
    '',
  ].join('\n')
  t.strictSame(read(text), [
    [
      'a_total',
      [
        [{ x: '1', y: 'two, "three" \\ {four}\nfive' }, 12],
        [{ x: '2' }, 0.5],
      ],
    ],
    ['b', [[{}, 0.001]]],
    ['c:rate', [[{}, Number.POSITIVE_INFINITY]]],
    ['d', [[{}, Number.NEGATIVE_INFINITY]]],
    ['e', [[{}, Number.NaN]]],
  ])
  t.strictSame(read(''), [])
})

test('a label may be called as a member that every object has', async (t) => {
  const [sample] = parseMetricsText('a{__proto__="x",constructor="y"} 1').get('a') ?? []
  t.strictSame(
    [...(sample?.labels ?? [])],
    [
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ],
  )
})

const BAD: Record<string, string> = {
  'a page': '<html>',
  'no value': 'a',
  'no value behind labels': 'a{x="1"}',
  'no space before the value': 'a{x="1"}1',
  'a word for a value': 'a many',
  'two values and a moment': 'a 1 2 3',
  'a moment with a fraction': 'a 1 2.5',
  'an exemplar of OpenMetrics': 'a 1 # {trace_id="x"} 1',
  'no closing brace': 'a{x="1" 1',
  'no closing mark': 'a{x="1} 1',
  'a mark that does not close': 'a{x="1\\"} 1',
  'an unknown escape': 'a{x="\\t"} 1',
  'no comma': 'a{x="1"y="2"} 1',
  'a comma alone': 'a{,} 1',
  'a label twice': 'a{x="1",x="2"} 1',
  'a name with a hyphen': 'a-b 1',
  'a name that begins with a digit': '1a 1',
  'a space before the name': ' a 1',
  'a carriage return': 'a 1\r',
  'too many labels': `a{${Array.from({ length: 33 }, (_, n) => `l${n}="x"`).join()}} 1`,
  'too many samples': 'a 1\n'.repeat(50_001),
}

for (const [what, text] of Object.entries(BAD)) {
  test(`${what} is no sample, and nothing of it is repeated`, async (t) => {
    const error = t.throws(() => parseMetricsText(`fine 1\n${text}`), MetricsTextError)
    t.match(error, { message: /^line \d+ is no sample$/ })
  })
}
