// Ids of single use in Redis: one key each, which Redis forgets by itself.

import { readFileSync } from 'node:fs'
import { openScript, type RunScript } from '../redis/redis-script.ts'
import type { Clock } from '../runtime/clock.ts'
import type { SingleUse } from './single-use.ts'
import { hashSingleUse, keptForMs } from './single-use-id.ts'

/** `adding`: a full Redis refuses it, and nothing is let in then. */
const TAKE = openScript(
  'take',
  'adding',
  readFileSync(new URL('./lua/take.lua', import.meta.url), 'utf8'),
)

/** `run` rejects with DependencyUnavailable. */
export function openRedisSingleUse(run: RunScript, clock: Clock): SingleUse {
  return {
    async take(group, id, untilMs) {
      const key = `lineage:once:{${hashSingleUse(group, id).toString('base64url')}}`
      return (await run(TAKE, [key], [keptForMs(untilMs, clock())])) === 1
    },
  }
}
