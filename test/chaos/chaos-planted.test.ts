// The same clients and checks against a service that rotates whatever token it is shown: they notice.

import { test } from 'tap'
import { findPlanted } from './find-planted.ts'

test('a store with a planted bug is found', { timeout: 170_000 }, async (t) => {
  const { rules } = await findPlanted('rotates whatever generation', { seed: 4, thefts: 1 })
  t.strictSame(rules, ['not_linearizable'])
})
