// A few kills of those that `npm run crash` does by the hundred, at moments that are the same each time.

import { test } from 'tap'
import { ACTS, type ActName } from './acts.ts'
import type { Moment } from './fuse.ts'
import { runRounds } from './run-rounds.ts'

const SAMPLE: Partial<Record<ActName, readonly Moment[]>> = {
  rotations: [
    { kind: 'step', step: 30, phase: 'sent' },
    { kind: 'step', step: 61, phase: 'answered' },
  ],
  migration: [
    { kind: 'step', step: 9, phase: 'answered' },
    { kind: 'step', step: 14, phase: 'sent' },
  ],
}

for (const [name, moments] of Object.entries(SAMPLE) as [ActName, readonly Moment[]][]) {
  test(`${name}: both stores are whole after kills in the middle`, async (t) => {
    const tell = (line: string) => t.comment(line)
    const rounds = moments.length
    const report = await runRounds(ACTS[name], { name, rounds, seed: 11, moments, tell })
    t.strictSame(report.broken, [])
    t.equal(report.inTime, rounds, 'each came while the act was under way')
  })
}
