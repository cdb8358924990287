// The table of signing keys. Every change runs in a transaction that holds the lock of the table,
// so that instances which act at once act one after the other, and tells the others of itself.

import type { PlainQuery } from '../database/plain-query.ts'
import { bumpTableVersion } from '../database/table-versions.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import { type GeneratedKey, openKeyMaterial } from './key-material.ts'
import type { SigningKey } from './key-states.ts'
import {
  decryptPrivateKey,
  type EncryptedPrivateKey,
  encryptPrivateKey,
} from './private-key-encryption.ts'
import { isSigningAlg, type SigningAlgs } from './signing-algorithms.ts'
import { UnreadableKey } from './unreadable-key.ts'

/** The name under which instances learn of a change, in `table_versions`. */
const SIGNING_KEYS = 'signing_keys'

interface KeyRow {
  readonly kid: string
  readonly alg: string
  readonly privateKeyEncrypted: Buffer<ArrayBuffer>
  readonly rootSecretId: number
  readonly publishedAt: Date
  readonly activeFrom: Date
  readonly signsUntil: Date | null
  readonly wantedAt: Date
  readonly longestTokenSeconds: number
}

// SQL of ours, because every start reads the keys and need not load Prisma for it.
const SELECT_KEYS = `SELECT kid, alg, private_key_encrypted AS "privateKeyEncrypted",
  root_secret_id AS "rootSecretId", published_at AS "publishedAt",
  COALESCE(signs_from, active_from) AS "activeFrom", signs_until AS "signsUntil",
  wanted_at AS "wantedAt", longest_token_seconds AS "longestTokenSeconds" FROM signing_keys`

// A release before, which knows one algorithm at a time, takes every key by its `active_from` for the
// successor of all others and deletes those. So the keys of a second algorithm have a far one, by
// which they are published there and never sign.
const INSERT_KEY = `INSERT INTO signing_keys (kid, alg, public_jwk, private_key_encrypted,
    root_secret_id, published_at, active_from, signs_from, wanted_at, longest_token_seconds)
  SELECT $1, $2, $3, $4, $5, $6::timestamptz,
    CASE WHEN beside.is_there THEN '9999-01-01'::timestamptz ELSE $7::timestamptz END,
    CASE WHEN beside.is_there THEN $7::timestamptz END, $6::timestamptz,
    GREATEST($8, (SELECT max(access_token_ttl_seconds) FROM clients))
  FROM (SELECT EXISTS (SELECT FROM signing_keys
    WHERE alg <> $2 AND signs_from IS NULL AND signs_until IS NULL) AS is_there) AS beside`

/** Held until the transaction of `query` ends. 72707369 is the lock of the migrations. */
export async function lockSigningKeys(query: PlainQuery): Promise<void> {
  // As a text, because Prisma, within whose transactions it is taken too, cannot read a void.
  await query('SELECT pg_advisory_xact_lock(72707370)::text')
}

/**
 * All keys in the order of `activeFrom`. A key of `known` is not decrypted again: it stays usable
 * here even when another instance has encrypted it under a secret that we do not have yet.
 * Throws UnreadableKey.
 */
export async function readSigningKeys(
  query: PlainQuery,
  rootSecrets: RootSecrets,
  known: readonly SigningKey[],
): Promise<readonly SigningKey[]> {
  const rows = await query<KeyRow>(`${SELECT_KEYS} ORDER BY "activeFrom", kid`)
  return rows.map((row) => ({
    kid: row.kid,
    material: known.find((key) => key.kid === row.kid)?.material ?? openRow(row, rootSecrets),
    publishedAtMs: row.publishedAt.getTime(),
    activeFromMs: row.activeFrom.getTime(),
    signsUntilMs: row.signsUntil?.getTime(),
    wantedAtMs: row.wantedAt.getTime(),
    longestTokenSeconds: row.longestTokenSeconds,
  }))
}

// The public part is derived from the decrypted private one, so that whoever can write to the
// table but does not have the root secret cannot make us publish a key of theirs.
function openRow(row: KeyRow, rootSecrets: RootSecrets) {
  const { kid, alg } = row
  if (!isSigningAlg(alg)) throw new UnreadableKey(kid, 'its algorithm is not known')
  return openKeyMaterial({ kid, alg, pkcs8: decryptPrivateKey(row, kid, rootSecrets) })
}

export interface InsertSigningKey {
  readonly generated: GeneratedKey
  readonly publishedAtMs: number
  readonly activeFromMs: number
  /** Of the configuration; a client may have a longer one. */
  readonly accessTokenTtlSeconds: number
}

/** Needs the lock, so that no client gets a longer token life unseen. */
export async function insertSigningKey(
  query: PlainQuery,
  { generated, publishedAtMs, activeFromMs, accessTokenTtlSeconds }: InsertSigningKey,
  rootSecrets: RootSecrets,
): Promise<void> {
  const { kid, alg, pkcs8 } = generated
  const { publicJwk } = openKeyMaterial(generated)
  const sealed = encryptPrivateKey(pkcs8, kid, rootSecrets.current)
  const times = [new Date(publishedAtMs), new Date(activeFromMs), accessTokenTtlSeconds]
  await query(INSERT_KEY, [kid, alg, publicJwk, ...sealedColumns(sealed), ...times])
  await bumpTableVersion(query, SIGNING_KEYS)
}

/** Sets or takes back when keys end without a successor. Needs the lock. */
export async function limitSigningKeys(
  query: PlainQuery,
  limits: readonly { readonly kid: string; readonly signsUntilMs: number | undefined }[],
): Promise<void> {
  for (const { kid, signsUntilMs } of limits) {
    const until = signsUntilMs === undefined ? null : new Date(signsUntilMs)
    await query('UPDATE signing_keys SET signs_until = $2 WHERE kid = $1', [kid, until])
  }
  if (limits.length > 0) await bumpTableVersion(query, SIGNING_KEYS)
}

/** Nothing that other instances hold in memory changes by it. */
export async function markWanted(
  query: PlainQuery,
  algs: SigningAlgs,
  nowMs: number,
): Promise<void> {
  await query('UPDATE signing_keys SET wanted_at = $2 WHERE alg = ANY ($1) AND wanted_at < $2', [
    algs,
    new Date(nowMs),
  ])
}

export async function deleteSigningKeys(
  query: PlainQuery,
  keys: readonly SigningKey[],
): Promise<void> {
  const kids = keys.map((key) => key.kid)
  const deleted = await query('DELETE FROM signing_keys WHERE kid = ANY ($1) RETURNING kid', [kids])
  if (deleted.length > 0) await bumpTableVersion(query, SIGNING_KEYS)
}

/**
 * Keeps every key in JWKS for as long as tokens of `seconds` may live. Whoever stores a client
 * with its own access-token life calls this in the same transaction, after it has written the client:
 * whoever takes the other order, this lock before a row of a client, makes a deadlock.
 */
export async function raiseLongestTokenLife(query: PlainQuery, seconds: number): Promise<void> {
  await lockSigningKeys(query)
  const raised = await query(
    `UPDATE signing_keys SET longest_token_seconds = $1 WHERE longest_token_seconds < $1
     RETURNING kid`,
    [seconds],
  )
  if (raised.length > 0) await bumpTableVersion(query, SIGNING_KEYS)
}

/** Brings every key under the first root secret, so that the others can be taken out. Needs the lock. */
export async function reencryptSigningKeys(
  query: PlainQuery,
  rootSecrets: RootSecrets,
): Promise<void> {
  const { current } = rootSecrets
  const rows = await query<KeyRow>(`${SELECT_KEYS} WHERE root_secret_id <> $1`, [current.id])
  for (const row of rows) {
    const pkcs8 = decryptPrivateKey(row, row.kid, rootSecrets)
    await query(
      'UPDATE signing_keys SET private_key_encrypted = $2, root_secret_id = $3 WHERE kid = $1',
      [row.kid, ...sealedColumns(encryptPrivateKey(pkcs8, row.kid, current))],
    )
  }
}

function sealedColumns({ privateKeyEncrypted, rootSecretId }: EncryptedPrivateKey): unknown[] {
  return [Buffer.from(privateKeyEncrypted), rootSecretId]
}
