// What has to hold of every parser of outside input, whatever it is given: tried on random inputs, on those
// that reach every branch that `npm run fuzz` has reached, and on all that once broke something.

import fc from 'fast-check'
import { test } from 'tap'
import { runSize } from '../support/run-size.ts'
import { toInput } from './fuzz-target.ts'
import { readInputs } from './inputs.ts'
import { inputsOf } from './random-inputs.ts'
import { TARGETS } from './targets.ts'

const RUNS = runSize(200, 20_000)
const SEED = 1

for (const target of TARGETS) {
  test(`${target.name}: no input breaks it`, async (t) => {
    const kept = [...readInputs('corpus', target.name), ...readInputs('cases', target.name)]
    t.ok(kept.length > 0, 'there are inputs to replay')
    const inputs = [...kept, ...target.seeds.map((text) => toInput(target, text))]
    t.ok(inputs.filter((input) => target.check(input)).length > 0, 'some of them are taken')
    fc.assert(
      fc.property(inputsOf(target), (input) => void target.check(input)),
      { seed: SEED, numRuns: RUNS },
    )
  })
}
