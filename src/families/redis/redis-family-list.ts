// Lists of families in Redis, read in short steps: Redis runs one script at a time, so a single
// long one for a user with many families would keep everybody else waiting.

import type { RunScript } from '../../redis/redis-script.ts'
import type { UserId, UserRecord } from '../../users/user.ts'
import {
  compareAge,
  type Family,
  type FamilyId,
  type FamilyKey,
  type FamilyStore,
} from '../family.ts'
import { loadScript } from './family-script.ts'
import { decodeFamily, decodeUser, keysOf } from './redis-record.ts'

/** Families that one script looks at. */
const STEP_SIZE = 50
/**
 * Steps for one list. More are needed only for an index that an older release has filled with dead
 * families; each list then takes some of them out and shows what it has found so far.
 */
const STEPS_MAX = 100
/** For how long a family counts as live after it died by time, because clocks differ. */
const CLOCK_SLACK_MS = 10 * 60 * 1000

const liveScript = loadScript('changing', 'list-live')
const endedScript = loadScript('changing', 'list-ended')
const readScript = loadScript('reading', 'read')

export const LIST_SCRIPTS = [liveScript, endedScript, readScript] as const

export function openListCommands(run: RunScript): Pick<FamilyStore, 'index' | 'read'> {
  return {
    async index(userId) {
      // When the one that a step begins after has ended, the list begins anew and finds some again.
      const found = new Map<FamilyId, Family>()
      let last: FamilyId | undefined
      for (let steps = 1; ; steps += 1) {
        const { user, live, isLast } = await listLiveStep(run, userId, last)
        for (const family of live) found.set(family.familyId, family)
        last = live.at(-1)?.familyId ?? last
        if (!isLast && steps < STEPS_MAX) continue
        const ended = await listEnded(run, userId)
        return { user, live: [...found.values()].sort(compareAge), ended }
      }
    },

    async read(userId, familyIds) {
      const found: Family[] = []
      for (let from = 0; from < familyIds.length; from += STEP_SIZE) {
        found.push(...(await readSome(run, userId, familyIds.slice(from, from + STEP_SIZE))))
      }
      return found
    },
  }
}

interface Step {
  readonly user: UserRecord | undefined
  readonly live: readonly Family[]
  readonly isLast: boolean
}

/**
 * Begins after `last`, the last live one that was found, or at the first: places in the index are
 * no help, because every login and every end between two steps moves families to other ones.
 */
async function listLiveStep(
  run: RunScript,
  userId: UserId,
  last: FamilyId | undefined,
): Promise<Step> {
  const keys = keysOf({ userId })
  const reply = await run(
    liveScript,
    [keys.user, keys.families],
    [keys.familyPrefix, last ?? '', STEP_SIZE, CLOCK_SLACK_MS],
  )
  const [user, families, lookedAt] = reply as [unknown, [FamilyId, unknown][], number]
  const live = families.map(([familyId, flat]) => decodeFamily(flat, userId, familyId))
  return {
    user: decodeUser(user, userId),
    live: live.filter((family) => family !== undefined),
    isLast: lookedAt < STEP_SIZE,
  }
}

async function listEnded(run: RunScript, userId: UserId): Promise<FamilyKey[]> {
  const { ended, familyPrefix } = keysOf({ userId })
  const scored = (await run(endedScript, [ended], [familyPrefix])) as string[]
  const keys: FamilyKey[] = []
  for (let i = 0; i + 1 < scored.length; i += 2) {
    keys.push({ familyId: scored[i] as FamilyId, createdAtMs: Number(scored[i + 1]) })
  }
  return keys.sort(compareAge)
}

async function readSome(
  run: RunScript,
  userId: UserId,
  familyIds: readonly FamilyId[],
): Promise<Family[]> {
  const keys = keysOf({ userId })
  const reply = (await run(readScript, familyIds.map(keys.family), [])) as unknown[]
  const found = familyIds.map((familyId, i) => decodeFamily(reply[i], userId, familyId))
  return found.filter((family) => family !== undefined)
}
