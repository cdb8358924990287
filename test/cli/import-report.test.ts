// What an import says at its end: passwords count where they were hashed, or would be.

import { test } from 'tap'
import { openImportReport } from '../../src/cli/import-report.ts'

const TRAITS = { isHashWeak: false, isHashDear: false }

for (const [isDryRun, outcome, words] of [
  [false, 'added', 'hashed here: 1'],
  [true, 'free', 'to be hashed: 1'],
] as const) {
  test(`${outcome}: of two passwords that of the user who was there is not counted`, async (t) => {
    const report = openImportReport({ isDryRun })
    report.noteValid(TRAITS)
    report.noteOutcome({ line: 1, outcome }, true)
    report.noteValid(TRAITS)
    report.noteOutcome({ line: 2, outcome: 'there' }, true)
    t.match(report.toText(), new RegExp(`^passwords in place of hashes, ${words}$`, 'm'))
  })
}
