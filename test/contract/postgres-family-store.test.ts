// The family contract on a real PostgreSQL.

import { runFamilyStoreContract } from './family-store.ts'
import { openPostgresBench } from './postgres-bench.ts'

runFamilyStoreContract('postgresql', openPostgresBench)
