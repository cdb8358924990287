// The whole walk over both stores: reads them raw, past the service, and says what is not whole.

import type { Family } from '../../src/families/family.ts'
import {
  type JsonRow,
  ownerKey,
  toFamily,
  toUserRecord,
} from '../../src/families/postgres/postgres-family-rows.ts'
import type { RootSecrets } from '../../src/secrets/root-secret.ts'
import type { UserRecord } from '../../src/users/user.ts'
import type { Damage } from './invariants.ts'
import { type RedisContents, readRedis } from './read-redis.ts'
import { type Query, readUsers, type UserRow } from './read-users.ts'
import { checkFamily, checkStoredFamily } from './walk-families.ts'
import { checkIndexes } from './walk-indexes.ts'
import { checkJournal, type JournalledStore } from './walk-journal.ts'
import { checkMigrations, checkSchema } from './walk-schema.ts'
import { checkSealedCurrent, checkSealedSecrets, checkSigningKeys } from './walk-sealed.ts'
import { checkTables } from './walk-tables.ts'
import { checkCopies, checkUsers } from './walk-users.ts'

export interface WalkOptions {
  readonly query: Query
  /** Undefined where families are in PostgreSQL. */
  readonly redisUrl: string | undefined
  readonly rootSecrets: RootSecrets
  /** The algorithms that are configured. */
  readonly algs: readonly string[]
  /** What `readSchema` gave of a database that was migrated in one go; compared where given. */
  readonly schema?: readonly string[] | undefined
  /** Whether a start has had the chance to bring everything under the first root secret. */
  readonly isSealedAnew?: boolean
}

/** Everything that is not whole; nobody may change anything meanwhile. */
export async function walkStores(options: WalkOptions): Promise<Damage[]> {
  const { query, redisUrl, rootSecrets, algs, schema, isSealedAnew = false } = options
  const contents = redisUrl === undefined ? undefined : await readRedis(redisUrl)
  const users = await readUsers(query)
  const store = contents ? toStore(contents) : await readPostgresStore(query)
  return [
    ...(contents ? await checkRedis(contents, users, query) : checkRows(store, users)),
    ...checkCopies([...store.copies.values()], users),
    ...(await checkUsers(users, query)),
    ...(await checkJournal(query, users, store)),
    ...(await checkSigningKeys(query, rootSecrets, algs)),
    ...(await checkSealedSecrets(query, rootSecrets)),
    ...(isSealedAnew ? await checkSealedCurrent(query, rootSecrets) : []),
    ...(await checkTables(query)),
    ...(await checkMigrations(query)),
    ...(schema ? await checkSchema(query, schema) : []),
  ]
}

async function checkRedis(
  contents: RedisContents,
  users: ReadonlyMap<string, UserRow>,
  query: Query,
): Promise<Damage[]> {
  const [clock] = await query<{ nowMs: number }>(
    'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS "nowMs"',
  )
  const ahead = contents.marks.filter((mark) => !(mark <= (clock?.nowMs ?? 0)))
  return [
    ...contents.strange.map((detail) => ({ invariant: 'redis_key_known' as const, detail })),
    ...ahead.map((mark) => ({ invariant: 'mark_not_ahead' as const, detail: `${mark}` })),
    ...[...contents.families.values()].flatMap((stored) => checkStoredFamily(stored, users)),
    ...checkIndexes(contents),
  ]
}

function checkRows({ families }: JournalledStore, users: ReadonlyMap<string, UserRow>): Damage[] {
  return [...families.values()].flatMap((family) => checkFamily(family.familyId, family, users))
}

function toStore(contents: RedisContents): JournalledStore {
  const families = new Map<string, Family>()
  for (const { family } of contents.families.values()) {
    if (family) families.set(family.familyId, family)
  }
  const copies = new Map<string, UserRecord>()
  for (const { record } of contents.users.values()) {
    if (record) copies.set(record.userId, record)
  }
  return { families, copies, hasRevokedToken: contents.hasRevokedToken }
}

async function readPostgresStore(query: Query): Promise<JournalledStore> {
  const rows = (table: string) =>
    query<{ row: JsonRow }>(`SELECT to_jsonb(x) AS row FROM ${table} x`)
  const families = (await rows('families')).map(({ row }) => toFamily(row))
  const copies = (await rows('family_users')).map(({ row }) => toUserRecord(row))
  const tokens = await query<{ owner: string; jti: string }>(
    'SELECT owner, jti FROM revoked_tokens',
  )
  const revoked = new Set(tokens.map(({ owner, jti }) => `${owner} ${jti}`))
  return {
    families: new Map(families.map((family) => [family.familyId, family])),
    copies: new Map(copies.map((copy) => [copy.userId, copy])),
    hasRevokedToken: (owner, jti) => revoked.has(`${ownerKey(owner)} ${jti}`),
  }
}
