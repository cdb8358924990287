// The bounds of what a list may show, on a real server.

import { runFamilyBounds } from './family-bounds.ts'
import { openPostgresBench } from './postgres-bench.ts'

runFamilyBounds('postgresql', openPostgresBench)
