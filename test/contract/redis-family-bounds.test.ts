// The bounds of what a list may show, on a real server.

import { runFamilyBounds } from './family-bounds.ts'
import { openRedisBench } from './redis-bench.ts'

runFamilyBounds('redis', openRedisBench)
