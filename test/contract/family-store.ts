// The contract of the family store (src/families/family.ts): what an adapter must do, whatever is
// behind it. An adapter's own test file is little more than the call.

import { test } from 'tap'
import type { OpenFamilyBench } from './family-bench.ts'
import { runBindingCases } from './family-binding.ts'
import { runCreateCases } from './family-create.ts'
import { runEndCases } from './family-end.ts'
import { runExpiryCases } from './family-expiry.ts'
import { runInspectCases } from './family-inspect.ts'
import { runKeptCases } from './family-kept.ts'
import { runOrderCases } from './family-order.ts'
import { runOutageCases } from './family-outage.ts'
import { runRaceCases } from './family-races.ts'
import { runRotateCases } from './family-rotate.ts'
import { runScopeCases } from './family-scope.ts'
import { runStorageCases } from './family-storage.ts'
import { runUserCases } from './family-user.ts'

/** Runs every case against the stores that `open` makes, one server or database a topic. */
export function runFamilyStoreContract(name: string, open: OpenFamilyBench): void {
  const topics = {
    rotate: runRotateCases,
    expiry: runExpiryCases,
    scope: runScopeCases,
    order: runOrderCases,
    binding: runBindingCases,
    kept: runKeptCases,
    user: runUserCases,
    create: runCreateCases,
    end: runEndCases,
    inspect: runInspectCases,
    races: runRaceCases,
    storage: runStorageCases,
    outage: runOutageCases,
  }
  for (const [topic, run] of Object.entries(topics)) {
    test(`${name}: ${topic}`, { timeout: 120_000 }, (t) => run(t, open))
  }
}
