// Lists of families in Redis, read in short steps: Redis runs one script at a time, so a single
// long one for a user with many families would keep everybody else waiting.

import type { RunScript } from '../../redis/redis-script.ts'
import type { UserId, UserRecord } from '../../users/user.ts'
import type { Family, FamilyId } from '../family.ts'
import { compareAge, type FamilyKey } from '../family-index.ts'
import type { FamilyStore } from '../family-store.ts'
import { loadBareScript, loadScript } from './family-script.ts'
import { keysOf, longId } from './redis-keys.ts'
import { decodeFamily, decodeUser } from './redis-record.ts'

/** Families that one script looks at, but for the first client, which it looks at as a whole. */
const STEP_SIZE = 50
/** Steps for one list, so that it ends whatever others do to the index meanwhile. */
const STEPS_MAX = 100
/** For how long a family counts as live after it died by time, because clocks differ. */
const CLOCK_SLACK_MS = 10 * 60 * 1000

const liveScript = loadScript('changing', 'list-live')
const endedScript = loadBareScript('changing', 'list-ended')
const readScript = loadBareScript('reading', 'read')

export const LIST_SCRIPTS = [liveScript, endedScript, readScript] as const

export function openListCommands(run: RunScript): Pick<FamilyStore, 'index' | 'read'> {
  return {
    async index(userId) {
      // When the client that a step begins after has left the index, the list begins anew and
      // finds some again.
      const found = new Map<FamilyId, Family>()
      let after = ''
      for (let steps = 1; ; steps += 1) {
        const { user, live, last } = await listLiveStep(run, userId, after)
        for (const family of live) found.set(family.familyId, family)
        after = last
        if (last !== '' && steps < STEPS_MAX) continue
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
  /** What the next step begins after; empty when there is none. */
  readonly last: string
}

/**
 * Begins after the client with the mark `after`, or at the first: places in the index are no help,
 * because logins and ends between two steps move clients to other ones.
 */
async function listLiveStep(run: RunScript, userId: UserId, after: string): Promise<Step> {
  const reply = await run(liveScript, [keysOf({ userId }).user], [after, STEP_SIZE, CLOCK_SLACK_MS])
  const [user, found, last] = reply as [unknown, string[], string]
  const live: Family[] = []
  for (let i = 0; i + 1 < found.length; i += 2) {
    const family = decodeFamily(found[i + 1], userId, longId(found[i] ?? ''))
    if (family) live.push(family)
  }
  return { user: decodeUser(user, userId), live, last }
}

async function listEnded(run: RunScript, userId: UserId): Promise<FamilyKey[]> {
  const { ended, familyPrefix } = keysOf({ userId })
  const scored = (await run(endedScript, [ended], [familyPrefix])) as string[]
  const keys: FamilyKey[] = []
  for (let i = 0; i + 1 < scored.length; i += 2) {
    keys.push({ familyId: longId(scored[i] ?? ''), createdAtMs: Number(scored[i + 1]) })
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
