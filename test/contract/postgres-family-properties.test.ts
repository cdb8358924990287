// Random histories on a real PostgreSQL.

import { runFamilyProperties, runReconnectProperties } from './family-properties.ts'
import { openPostgresBench } from './postgres-bench.ts'

runFamilyProperties('postgresql', openPostgresBench)
runReconnectProperties('postgresql', openPostgresBench)
