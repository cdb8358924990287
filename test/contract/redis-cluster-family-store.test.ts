// What a Cluster could break, on a real one: keys of one call in different slots, and every answer
// of the store through redirections.

import { test } from 'tap'
import { runCreateCases } from './family-create.ts'
import { runFamilyProperties } from './family-properties.ts'
import { runRaceCases } from './family-races.ts'
import { openRedisClusterBench } from './redis-bench.ts'

const timeout = 120_000
test('redis cluster: create', { timeout }, (t) => runCreateCases(t, openRedisClusterBench))
test('redis cluster: races', { timeout }, (t) => runRaceCases(t, openRedisClusterBench))
runFamilyProperties('redis cluster', openRedisClusterBench)
