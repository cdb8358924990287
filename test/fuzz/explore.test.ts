// The search for inputs works: it finds a fault that it could not find without looking at branches, and says of
// a finding no more than what is needed to see it.

import { test } from 'tap'
import { buildTargets } from './build-targets.ts'
import { explore } from './explore.ts'
import { minimise } from './minimise.ts'

const EXECUTIONS = 30_000

test('a planted fault is found by the branches that lead to it, and not without', async (t) => {
  const built = await buildTargets('test/fuzz/planted-parser.ts', (path) =>
    path.endsWith('/planted-parser.ts'),
  )
  const [word, pairs] = built.targets
  if (!word || !pairs) throw new Error('the planted parsers are there')
  const limits = {
    seed: 1,
    corpus: [],
    isOver: (executions: number, found: number) => executions >= EXECUTIONS || found > 0,
  }

  const { findings, kept, places } = explore(word, built, limits)
  t.strictSame(
    findings.map(({ input, what }) => `${what}: ${input}`),
    ['Violation: the word is never there: proof'],
    'found, and cut down to what it needs',
  )
  t.ok(places.reached >= 6 && places.reached <= places.all, 'branches are counted')
  t.ok(kept.length >= 4, 'the inputs that led there are kept')
  t.strictSame(explore(word, built, { ...limits, isBlind: true }).findings, [], 'not by chance')

  const square = explore(pairs, built, limits)
  t.match(square.findings[0]?.what, /more steps/, 'work by the square of the input')
})

test('an input is cut down to what breaks', async (t) => {
  const input = Buffer.from(`${'x'.repeat(500)}a${'y'.repeat(300)}b${'z'.repeat(9)}`)
  const isBroken = (text: Buffer) => /a.*b/.test(text.toString())
  t.equal(minimise(input, isBroken).toString(), 'ab')
})
