// `npm run bench:timing`: whether the time of a refused login tells why it was refused, and so whether
// there is such a user (docs/login.md). Each pair of classes is compared by a two-sample test, for the
// service as it is shipped and for two with a leak, which the same measurement has to find.

import { writeFileSync } from 'node:fs'
import { openScope } from '../../test/support/scope.ts'
import { SAMPLES } from '../options.ts'
import { makeClasses } from './login-classes.ts'
import { type Times, timeLogins } from './time-logins.ts'
import { startTimedService } from './timed-service.ts'
import { type Comparison, compareSamples } from './two-samples.ts'

/** With fewer logins of each class no leak is certain to be found. */
const LEAKY_SAMPLES_MIN = 16

const LEAKS = [undefined, 'no work for unknown users', 'own hash alone for unknown users']

export interface Pair extends Comparison {
  readonly classes: readonly [string, string]
}

/** By the leak, or as it is shipped: `samples` of each class, and each pair of classes. */
export type TimingResults = Readonly<
  Record<string, { readonly samples: number; readonly pairs: readonly Pair[] }>
>

async function main(): Promise<void> {
  const results: Record<string, TimingResults[string]> = {}
  for (const leak of LEAKS) {
    const name = leak ?? 'as shipped'
    const leaky = Math.max(LEAKY_SAMPLES_MIN, SAMPLES / 4)
    const samples = Math.ceil(leak === undefined ? SAMPLES : leaky)
    const pairs = comparePairs(await measure(samples, leak))
    results[name] = { samples, pairs }
    print(name, samples, pairs)
  }
  const path = process.env.BENCH_RESULTS
  if (path) writeFileSync(path, JSON.stringify(results))
}

async function measure(samples: number, leak: string | undefined): Promise<Times> {
  const scope = openScope()
  try {
    const { port, admin } = await startTimedService(scope, leak)
    return await timeLogins(port, await makeClasses(admin), samples)
  } finally {
    await scope.close()
  }
}

function comparePairs(times: Times): Pair[] {
  const all = [...times]
  return all.flatMap(([one, ofOne], index) =>
    all.slice(index + 1).map(([other, ofOther]): Pair => {
      return { classes: [one, other], ...compareSamples(ofOne, ofOther) }
    }),
  )
}

function print(name: string, samples: number, pairs: readonly Pair[]): void {
  console.log(`\n${name}, ${samples} logins of each class, Mann-Whitney U\n`)
  console.log(`${'p'.padStart(9)}  ${'median ms'.padStart(17)}  classes`)
  for (const { classes, medians, p } of pairs) {
    const [one, other] = medians.map((ms) => ms.toFixed(2))
    const text = p < 0.001 ? p.toExponential(1) : p.toFixed(3)
    console.log(`${text.padStart(9)}  ${`${one} / ${other}`.padStart(17)}  ${classes.join(' / ')}`)
  }
  const least = Math.min(...pairs.map(({ p }) => p))
  console.log(`\nleast p of ${pairs.length} pairs: ${least.toExponential(1)}`)
}

await main()
