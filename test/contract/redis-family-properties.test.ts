// Random histories on a real Redis.

import { runFamilyProperties, runReconnectProperties } from './family-properties.ts'
import { openRedisBench } from './redis-bench.ts'

runFamilyProperties('redis', openRedisBench)
runReconnectProperties('redis', openRedisBench)
