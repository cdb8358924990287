// The keys of user names that an older release has computed, computed anew: a migration that SQL
// cannot express, because it has no full case folding. It runs with the others, in their
// transaction.

import { nameKey } from '../runtime/name-key.ts'
import { StartError } from '../runtime/start-error.ts'
import { eachPage } from './keyset-page.ts'
import type { PlainQuery } from './plain-query.ts'

/** Its name among the migrations; a row of that name in table_versions says that it is pending. */
export const NAME_KEYS_STEP = 'user_name_keys'
/** What it locks, as a migration that does the same says it. */
export const NAME_KEYS_LOCKS = { name: NAME_KEYS_STEP, sql: 'UPDATE users' }

const PAGE_SIZE = 1_000
const COLLISIONS_SHOWN = 20
/** How many users of one name are shown. */
const IDS_SHOWN = 5

interface NameRow {
  readonly id: string
  readonly username: string | null
  readonly email: string | null
  readonly username_key: string | null
  readonly email_key: string | null
}

/**
 * Whether there may be keys of an older release. False when the table is missing or not readable.
 */
export async function areNameKeysPending(query: PlainQuery): Promise<boolean> {
  const [table] = await query<{ readable: boolean | null }>(
    `SELECT has_table_privilege(to_regclass('table_versions'), 'SELECT') AS readable`,
  )
  if (!table?.readable) return false
  const marks = await query('SELECT name FROM table_versions WHERE name = $1', [NAME_KEYS_STEP])
  return marks.length > 0
}

/**
 * In the caller's transaction; whether a key is another one now. Throws StartError, which names the
 * users, when two of them have become one name.
 */
export async function renewNameKeys(query: PlainQuery): Promise<boolean> {
  // Blocks writers but not readers, so that no name is written meanwhile.
  await query('LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE')
  await query(
    `CREATE TEMPORARY TABLE renewed_names
     (id uuid PRIMARY KEY, username_key text, email_key text) ON COMMIT DROP`,
  )
  const count = await collectRenewed(query)
  if (count > 0) await replaceKeys(query)
  await query('DELETE FROM table_versions WHERE name = $1', [NAME_KEYS_STEP])
  return count > 0
}

/** How many users have other keys than before. */
async function collectRenewed(query: PlainQuery): Promise<number> {
  let count = 0
  const pages = eachPage(PAGE_SIZE, { id: null }, ({ id }: Pick<NameRow, 'id'> | { id: null }) =>
    query<NameRow>(NAMES_PAGE, [id]),
  )
  for await (const page of pages) {
    const renewed = page.flatMap((row) => {
      const { id, username, email } = row
      const [nameOf, emailOf] = [username, email].map((text) => text && nameKey(text))
      return nameOf === row.username_key && emailOf === row.email_key ? [] : { id, nameOf, emailOf }
    })
    count += renewed.length
    await query(
      'INSERT INTO renewed_names SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])',
      [
        renewed.map(({ id }) => id),
        renewed.map(({ nameOf }) => nameOf),
        renewed.map(({ emailOf }) => emailOf),
      ],
    )
  }
  return count
}

async function replaceKeys(query: PlainQuery): Promise<void> {
  const collisions: string[] = []
  for (const name of ['username', 'email']) {
    const rows = await query<{ ids: string }>(collisionsOf(`${name}_key`))
    collisions.push(...rows.map(({ ids }) => `${name} of ${ids}`))
  }
  if (collisions.length > 0) {
    const shown = collisions.slice(0, COLLISIONS_SHOWN).join('; ')
    const rest = collisions.length > COLLISIONS_SHOWN ? '; and more' : ''
    throw new StartError(
      `users have the same name by full case folding, nothing was changed: ${shown}${rest} ` +
        '(docs/operations.md, "Names that became one", says what to do)',
    )
  }
  // First all old keys are removed: the new key of one row may be the old key of another.
  await query(
    `UPDATE users SET username_key = NULL, email_key = NULL
     FROM renewed_names WHERE users.id = renewed_names.id`,
  )
  await query(
    `UPDATE users SET username_key = renewed.username_key, email_key = renewed.email_key
     FROM renewed_names AS renewed WHERE users.id = renewed.id`,
  )
}

// Only names outside ASCII: the keys of others are as before.
const NAMES_PAGE = `
  SELECT id, username, email, username_key, email_key FROM users
  WHERE ($1::uuid IS NULL OR id > $1) AND (
    octet_length(username) > char_length(username) OR octet_length(email) > char_length(email)
  )
  ORDER BY id LIMIT ${PAGE_SIZE}`

/** Ids that share a key when every user has the new one, one more row than are shown. */
function collisionsOf(column: string): string {
  return `
    SELECT array_to_string((array_agg(id ORDER BY id))[:${IDS_SHOWN}], ' and ') AS ids FROM (
      SELECT id, ${column} AS key FROM renewed_names
      UNION ALL
      SELECT id, ${column} FROM users
      WHERE ${column} IN (SELECT ${column} FROM renewed_names)
        AND id NOT IN (SELECT id FROM renewed_names)
    ) AS keys WHERE key IS NOT NULL
    GROUP BY key HAVING count(*) > 1 ORDER BY 1 LIMIT ${COLLISIONS_SHOWN + 1}`
}
