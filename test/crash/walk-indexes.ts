// The indexes of families in Redis against the families themselves: the live ones behind the copy of their
// user, by clients, and the newest of the ended ones.

import { createHash } from 'node:crypto'
import type { Damage } from './invariants.ts'
import type { RedisContents, StoredFamily, StoredUser } from './read-redis.ts'

const ID_LENGTH = 22
const MARK = /^[0-9a-f]{4}$/
const ENDED_LISTED_MAX = 200
/** Both lives are read one after the other. */
const READING_MS = 10_000

/** Both indexes of every user. */
export function checkIndexes(contents: RedisContents): Damage[] {
  const damages: Damage[] = []
  const byUser = new Map<string, StoredFamily[]>()
  for (const stored of contents.families.values()) {
    const key = stored.key.slice(0, stored.key.indexOf(':f:'))
    byUser.set(key, [...(byUser.get(key) ?? []), stored])
  }
  for (const user of contents.users.values()) damages.push(...checkList(user))
  for (const [key, families] of byUser) {
    const user = contents.users.get(key)
    damages.push(...checkLive(key, user, families))
    damages.push(...checkEnded(key, contents.ended.get(key) ?? new Map(), families))
    if (user) damages.push(...checkLives(user, families))
  }
  return damages
}

/** That the list of a user is made as the scripts make it. */
function checkList({ key, items, record }: StoredUser): Damage[] {
  const pairs = listPairs(items)
  const isMade =
    items.length % 2 === 1 &&
    (record !== undefined || items[0] === '') &&
    new Set(pairs.map(({ mark }) => mark)).size === pairs.length &&
    pairs.every(({ mark, ids }) => MARK.test(mark) && ids.length > 0 && isWhole(ids))
  return isMade ? [] : [{ invariant: 'user_copy', detail: `${key}: ${items.slice(1).join(' ')}` }]
}

function checkLive(
  key: string,
  user: StoredUser | undefined,
  families: readonly StoredFamily[],
): Damage[] {
  const places = new Map<string, string[]>()
  for (const { mark, ids } of listPairs(user?.items ?? [])) {
    for (const id of ids) places.set(id, [...(places.get(id) ?? []), mark])
  }
  return families.flatMap(({ shortId, family }): Damage[] => {
    if (!family) return []
    const marks = places.get(shortId) ?? []
    const detail = `${key}: ${shortId} at ${marks.join() || 'no place'}`
    if (family.ended) return marks.length > 0 ? [{ invariant: 'family_ended', detail }] : []
    const isListed = marks.length === 1 && marks[0] === markOf(family.clientId)
    // One that has died by time or by an epoch may have been met by a list.
    const mayHaveLeft = marks.length === 0 && isDead(family.idleExpiresAtMs, family.epoch, user)
    return isListed || mayHaveLeft ? [] : [{ invariant: 'live_index', detail }]
  })
}

function isDead(idleExpiresAtMs: number, epoch: number, user: StoredUser | undefined): boolean {
  const { record } = user ?? {}
  const isOutlived = record !== undefined && (record.epoch > epoch || record.status !== 'active')
  return isOutlived || idleExpiresAtMs < Date.now()
}

function checkEnded(
  key: string,
  listed: ReadonlyMap<string, number>,
  families: readonly StoredFamily[],
): Damage[] {
  const known = new Map(families.map((stored) => [stored.shortId, stored.family]))
  const details: string[] = []
  if (listed.size > ENDED_LISTED_MAX) details.push(`${listed.size} are listed`)
  for (const [id, createdAtMs] of listed) {
    const family = known.get(id)
    if (family && family.createdAtMs !== createdAtMs) details.push(`${id} is listed by another age`)
  }
  for (const { shortId, family } of families) {
    const isMissing = family?.ended && !listed.has(shortId) && listed.size < ENDED_LISTED_MAX
    if (isMissing) details.push(`${shortId} has ended and is not listed`)
  }
  return details.map((detail) => ({ invariant: 'ended_index', detail: `${key}: ${detail}` }))
}

function checkLives({ key, ttlMs }: StoredUser, families: readonly StoredFamily[]): Damage[] {
  return families
    .filter(({ family, ttlMs: life }) => !family?.ended && life > ttlMs + READING_MS)
    .map(({ shortId }) => ({ invariant: 'user_copy_outlives', detail: `${key} before ${shortId}` }))
}

function listPairs(items: readonly string[]): { mark: string; ids: string[] }[] {
  const pairs: { mark: string; ids: string[] }[] = []
  for (let at = 1; at < items.length; at += 2) {
    const ids = items[at + 1]?.match(new RegExp(`.{1,${ID_LENGTH}}`, 'g')) ?? []
    pairs.push({ mark: items[at] ?? '', ids })
  }
  return pairs
}

const isWhole = (ids: readonly string[]) => ids.every((id) => id.length === ID_LENGTH)

/** As client_mark of family.lua makes it. */
function markOf(clientId: string): string {
  return createHash('sha1').update(clientId).digest('hex').slice(0, 4)
}
