// Uses of tokens in Redis: one key for each holder, which Redis forgets by itself.

import { readFileSync } from 'node:fs'
import { openScript, type RunScript } from '../redis/redis-script.ts'
import type { Clock } from '../runtime/clock.ts'
import { hashSingleUse, keptForMs } from './single-use-id.ts'
import type { TokenUses } from './token-uses.ts'

/** `adding`: a full Redis refuses it, and nothing is let in then. */
const COUNT = openScript(
  'count-use',
  'adding',
  readFileSync(new URL('./lua/count-use.lua', import.meta.url), 'utf8'),
)

/** `run` rejects with DependencyUnavailable. */
export function openRedisTokenUses(run: RunScript, clock: Clock): TokenUses {
  return {
    async count(group, id, source, untilMs) {
      const key = `lineage:uses:{${hashSingleUse(group, id).toString('base64url')}}`
      const reply = (await run(COUNT, [key], [source, keptForMs(untilMs, clock())])) as number[]
      const [count = 0, elsewhere = 0] = reply
      return { count, isElsewhere: elsewhere === 1 }
    },
  }
}
