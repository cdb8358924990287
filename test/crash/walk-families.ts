// The families, wherever they are: each well-formed by itself, of a user that there is, and of no epoch
// that this user has not reached.

import type { Family } from '../../src/families/family.ts'
import { packText, packWords } from '../../src/families/redis/packed-text.ts'
import type { Damage } from './invariants.ts'
import type { StoredFamily } from './read-redis.ts'
import type { UserRow } from './read-users.ts'

const REASONS = [
  'reuse_detected',
  'revoked_by_client',
  'revoked_by_user',
  'revoked_by_admin',
  'session_limit',
]
const SECRET_HASH = /^[A-Za-z0-9_-]{43}$/
/** No release has a flag beyond these six. */
const FLAGS_MAX = 63

/** Of one family: its members, its user and its epoch. */
export function checkFamily(
  name: string,
  family: Family,
  users: ReadonlyMap<string, UserRow>,
): Damage[] {
  const user = users.get(family.userId)
  const damages: Damage[] = []
  for (const detail of listFaults(family)) {
    damages.push({ invariant: 'family_well_formed', detail: `${name}: ${detail}` })
  }
  const { ended } = family
  if (ended && !(REASONS.includes(ended.reason) && ended.atMs >= family.createdAtMs)) {
    const detail = `${name}: ended by ${ended.reason} at ${ended.atMs}`
    damages.push({ invariant: 'family_ended', detail })
  }
  if (!user) damages.push({ invariant: 'family_has_user', detail: `${name} of ${family.userId}` })
  else if (family.epoch > user.epoch) {
    const detail = `${name}: epoch ${family.epoch}, of the user ${user.epoch}`
    damages.push({ invariant: 'family_epoch', detail })
  }
  return damages
}

/** Of one family in Redis: besides, that its bytes end where its members do. */
export function checkStoredFamily(
  { key, family, bytes, flags }: StoredFamily,
  users: ReadonlyMap<string, UserRow>,
): Damage[] {
  if (!family) return [{ invariant: 'family_well_formed', detail: `${key} cannot be read` }]
  const size = packedSize(family)
  const damages = checkFamily(key, family, users)
  if (size !== bytes || flags > FLAGS_MAX) {
    const detail = `${key}: ${bytes} bytes where ${size} are packed, flags ${flags}`
    damages.push({ invariant: 'family_well_formed', detail })
  }
  return damages
}

function listFaults(family: Family): string[] {
  const { createdAtMs, rotatedAtMs, usedAtMs, idleExpiresAtMs, absoluteExpiresAtMs } = family
  const faults: string[] = []
  if (!SECRET_HASH.test(family.secretHash)) faults.push('the hash of its secret')
  if (family.clientId === '') faults.push('no client')
  if (family.generation < 0 || family.epoch < 0) faults.push('a number below 0')
  if (createdAtMs > rotatedAtMs || rotatedAtMs > usedAtMs) faults.push('used before it was made')
  if (idleExpiresAtMs > absoluteExpiresAtMs) faults.push('idle for longer than it lives')
  return faults
}

/** Flags, generation, epoch, repeats and four moments. */
const NUMBERS_BYTES = 1 + 4 + 4 + 2 + 4 * 6

function packedSize(family: Family): number {
  const { secretHash, clientId, scope, audience, ip, userAgent, confirmation, ended } = family
  const texts: readonly (readonly [sizeOfLength: number, text: string])[] = [
    [1, secretHash],
    [1, clientId],
    [2, packWords(scope)],
    [2, packWords(audience)],
    [1, ip],
    [2, packText(userAgent)],
    ...[confirmation?.jkt, confirmation?.['x5t#S256']].flatMap((text) =>
      text === undefined ? [] : [[1, text] as const],
    ),
  ]
  const used = family.usedAtMs === family.rotatedAtMs ? 0 : 6
  return (
    texts.reduce((sum, [size, text]) => sum + size + Buffer.byteLength(text), NUMBERS_BYTES) +
    used +
    (ended ? 6 + ended.reason.length : 0)
  )
}
