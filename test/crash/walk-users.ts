// The users of PostgreSQL by themselves, and the copies of them that the store of families has.

import { isDeepStrictEqual } from 'node:util'
import type { UserRecord } from '../../src/users/user.ts'
import type { Damage } from './invariants.ts'
import type { Query, UserRow } from './read-users.ts'

const EPOCH_LOG_MAX = 32

/** Each user's epochs, what a deletion has to take along, and the second step. */
export async function checkUsers(
  users: ReadonlyMap<string, UserRow>,
  query: Query,
): Promise<Damage[]> {
  const damages: Damage[] = []
  for (const user of users.values()) {
    const { id, epoch, version, epochLog, status } = user
    const epochs = epochLog.map((start) => start.epoch)
    const expected = epochs.map((_, at) => epoch - epochs.length + 1 + at)
    const isWhole = epochs.length === Math.min(epoch, EPOCH_LOG_MAX)
    if (!isWhole || !isDeepStrictEqual(epochs, expected) || epoch > version) {
      const detail = `${id}: epoch ${epoch}, version ${version}, log ${epochs.join()}`
      damages.push({ invariant: 'user_record', detail })
    }
    const isLeft = user.hasNames || user.hasHash || user.hasFactor || user.recoveryCodes > 0
    if (status === 'deleted' ? isLeft : !user.hasNames || !user.hasHash) {
      damages.push({ invariant: 'user_deleted_whole', detail: `${id} is ${status}` })
    }
    if (user.hasFactor !== user.activeFactors > 0) {
      const detail = `${id}: marked ${user.hasFactor}, has ${user.activeFactors}`
      damages.push({ invariant: 'user_factors', detail })
    }
  }
  const lost = await query<{ id: string }>(`
    SELECT id::text FROM factors WHERE user_id NOT IN (SELECT id FROM users WHERE status <> 'deleted')
    UNION ALL SELECT user_id::text FROM recovery_codes WHERE user_id NOT IN (SELECT id FROM users)`)
  for (const { id } of lost) damages.push({ invariant: 'user_factors', detail: `${id} of nobody` })
  return damages
}

/** The copies, wherever the families are. */
export function checkCopies(
  records: readonly UserRecord[],
  users: ReadonlyMap<string, UserRow>,
): Damage[] {
  return records.flatMap((copy): Damage[] => {
    const user = users.get(copy.userId)
    const detail = `${copy.userId}: version ${copy.version}, in PostgreSQL ${user?.version}`
    if (!user || copy.version > user.version || copy.epoch > user.epoch) {
      return [{ invariant: 'user_copy_not_ahead', detail }]
    }
    if (copy.version < user.version || isSame(copy, user)) return []
    return [{ invariant: 'user_copy_not_ahead', detail: `${detail}, but not the same` }]
  })
}

function isSame(copy: UserRecord, user: UserRow): boolean {
  return isDeepStrictEqual(
    [copy.epoch, copy.status, [...copy.roles], copy.epochLog, copy.username ?? null],
    [user.epoch, user.status, [...user.roles], user.epochLog, user.username],
  )
}
