// What is sealed under the root secret, and the signing keys: each opens, and of each algorithm that is
// configured one key signs.

import { createPublicKey, type JsonWebKey } from 'node:crypto'
import type { FactorId } from '../../src/factors/factor.ts'
import { unsealFactorSecret } from '../../src/factors/factor-secret.ts'
import { openKeyMaterial } from '../../src/keys/key-material.ts'
import { findActive, type SigningKey } from '../../src/keys/key-states.ts'
import { decryptPrivateKey } from '../../src/keys/private-key-encryption.ts'
import type { SigningAlg } from '../../src/keys/signing-algorithms.ts'
import type { RootSecrets } from '../../src/secrets/root-secret.ts'
import type { UserId } from '../../src/users/user.ts'
import { unsealSecrets } from '../../src/webhooks/webhook-secret.ts'
import type { Damage } from './invariants.ts'
import type { Query } from './read-users.ts'

interface KeyRow {
  readonly kid: string
  readonly alg: SigningAlg
  readonly publicJwk: JsonWebKey
  readonly privateKeyEncrypted: Buffer<ArrayBuffer>
  readonly rootSecretId: number
  readonly publishedAt: Date
  readonly activeFrom: Date
  readonly signsUntil: Date | null
  readonly wantedAt: Date
  readonly longestTokenSeconds: number
}

/** All keys that can be opened, and the damages of the others. */
export async function checkSigningKeys(
  query: Query,
  rootSecrets: RootSecrets,
  algs: readonly string[],
): Promise<Damage[]> {
  const rows = await query<KeyRow>(`
    SELECT kid, alg, public_jwk AS "publicJwk", private_key_encrypted AS "privateKeyEncrypted",
      root_secret_id AS "rootSecretId", published_at AS "publishedAt",
      COALESCE(signs_from, active_from) AS "activeFrom", signs_until AS "signsUntil",
      wanted_at AS "wantedAt", longest_token_seconds AS "longestTokenSeconds"
    FROM signing_keys ORDER BY "activeFrom", kid`)
  const damages: Damage[] = []
  const keys: SigningKey[] = []
  for (const row of rows) {
    try {
      keys.push(openRow(row, rootSecrets))
    } catch (error) {
      damages.push({ invariant: 'sealed_opens', detail: `signing key ${row.kid}: ${error}` })
    }
  }
  for (const alg of algs) {
    const nowMs = Date.now()
    const started = keys.filter(
      (key) => key.material.alg === alg && key.activeFromMs <= Math.max(nowMs, firstOf(keys)),
    )
    const newest = started.at(-1)
    const twins = started.filter((key) => key.activeFromMs === newest?.activeFromMs)
    if (twins.length === 1 && newest && findActive(keys, alg, nowMs) === newest) continue
    const detail = `${alg}: ${twins.map(({ kid }) => kid).join() || 'none'}`
    damages.push({ invariant: 'signing_key_active', detail })
  }
  return damages
}

const firstOf = (keys: readonly SigningKey[]) => keys[0]?.activeFromMs ?? 0

/** Throws where the private part does not open or is not that of the public one. */
function openRow(row: KeyRow, rootSecrets: RootSecrets): SigningKey {
  const { kid, alg } = row
  const material = openKeyMaterial({ kid, alg, pkcs8: decryptPrivateKey(row, kid, rootSecrets) })
  const published = createPublicKey({ key: row.publicJwk, format: 'jwk' })
  const held = createPublicKey({ key: material.publicJwk as JsonWebKey, format: 'jwk' })
  if (!published.equals(held)) throw new Error('another public key is told')
  return {
    kid,
    material,
    publishedAtMs: row.publishedAt.getTime(),
    activeFromMs: row.activeFrom.getTime(),
    signsUntilMs: row.signsUntil?.getTime(),
    wantedAtMs: row.wantedAt.getTime(),
    longestTokenSeconds: row.longestTokenSeconds,
  }
}

/** The secrets of webhooks and of authenticators. */
export async function checkSealedSecrets(
  query: Query,
  rootSecrets: RootSecrets,
): Promise<Damage[]> {
  const webhooks = await query<{
    id: string
    secretsEncrypted: Buffer<ArrayBuffer>
    rootSecretId: number
  }>(
    `SELECT id, secrets_encrypted AS "secretsEncrypted", root_secret_id AS "rootSecretId"
     FROM webhooks`,
  )
  const factors = await query<{
    id: FactorId
    userId: UserId
    secretEncrypted: Buffer
    rootSecretId: number
  }>(
    `SELECT id, user_id AS "userId", secret_encrypted AS "secretEncrypted",
       root_secret_id AS "rootSecretId" FROM factors`,
  )
  const closed = [
    ...webhooks.filter((row) => !opens(() => unsealSecrets(row, row.id, rootSecrets))),
    ...factors.filter((row) => !opens(() => unsealFactorSecret(row, row, rootSecrets))),
  ]
  return closed.map(({ id, rootSecretId }) => {
    return { invariant: 'sealed_opens', detail: `${id} under root secret ${rootSecretId}` }
  })
}

function opens(open: () => object | undefined): boolean {
  try {
    return open() !== undefined
  } catch {
    return false
  }
}

/** Whether a start with the root secrets has brought everything under the first. */
export async function checkSealedCurrent(
  query: Query,
  rootSecrets: RootSecrets,
): Promise<Damage[]> {
  const left = await query<{ what: string; count: string }>(
    ['signing_keys', 'webhooks', 'factors']
      .map(
        (table) => `SELECT '${table}' AS what, count(*) FROM ${table} WHERE root_secret_id <> $1`,
      )
      .join(' UNION ALL '),
    [rootSecrets.current.id],
  )
  return left
    .filter(({ count }) => count !== '0')
    .map(({ what, count }) => ({ invariant: 'sealed_current', detail: `${count} of ${what}` }))
}
