// The family contract on a real Redis.

import { runFamilyStoreContract } from './family-store.ts'
import { openRedisBench } from './redis-bench.ts'

runFamilyStoreContract('redis', openRedisBench)
