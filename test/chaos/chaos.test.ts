// A short run against each store, with the faults by which sessions were lost or revived before.
// `npm run chaos` is the long one.

import { test } from 'tap'
import type { FaultName } from './chaos-faults.ts'
import { checkHistory } from './check-history.ts'
import { type ChaosOptions, runChaos } from './run-chaos.ts'

const RUNS: Partial<Record<ChaosOptions['store'], readonly FaultName[]>> = {
  redis: [
    'freeze',
    'stall',
    'crowd',
    'killRedis',
    'cut',
    'restartPostgres',
    'setClock',
    'fillRedis',
  ],
  postgresql: ['freeze', 'restartStore', 'stall'],
}

for (const [store, names] of Object.entries(RUNS) as [ChaosOptions['store'], FaultName[]][]) {
  test(`families in ${store}: no history breaks a rule`, { timeout: 170_000 }, async (t) => {
    const faults = names[Symbol.iterator]()
    const history = await runChaos(t, {
      store,
      seed: 8,
      users: 4,
      nextFault: () => faults.next().value,
      tell: (line) => t.comment(line),
    })
    t.strictSame(checkHistory(history), [])
    t.equal(history.faults.length, names.length)
    for (const name of ['login', 'refresh', 'verify', 'revoke'] as const) {
      t.ok(
        history.operations.some((one) => one.name === name && one.status === 200),
        name,
      )
    }
    t.ok(
      history.operations.some(({ status }) => status === 503),
      'the faults were met',
    )
  })
}
