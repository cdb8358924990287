// The table of signing keys. Every change runs in a transaction that holds the lock of the table,
// so that instances which act at once act one after the other, and tells the others of itself.

import { bumpTableVersion } from '../database/table-versions.ts'
import type { Prisma } from '../generated/prisma/client.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import { type GeneratedKey, openKeyMaterial } from './key-material.ts'
import type { SigningKey } from './key-states.ts'
import { decryptPrivateKey, encryptPrivateKey } from './private-key-encryption.ts'
import { isSigningAlg } from './signing-algorithms.ts'
import { UnreadableKey } from './unreadable-key.ts'

/** The name under which instances learn of a change, in `table_versions`. */
const SIGNING_KEYS = 'signing_keys'

/** A client of Prisma, inside a transaction or not. */
type Reader = Pick<Prisma.TransactionClient, 'signingKey'>
type Transaction = Prisma.TransactionClient

/** Held until the transaction ends. 72707369 is the lock of the migrations. */
export async function lockSigningKeys(tx: Transaction): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(72707370)`
}

/**
 * All keys in the order of `activeFrom`. A key of `known` is not decrypted again: it stays usable
 * here even when another instance has encrypted it under a secret that we do not have yet.
 * Throws UnreadableKey.
 */
export async function readSigningKeys(
  reader: Reader,
  rootSecrets: RootSecrets,
  known: readonly SigningKey[],
): Promise<readonly SigningKey[]> {
  const rows = await reader.signingKey.findMany({
    orderBy: [{ activeFrom: 'asc' }, { kid: 'asc' }],
  })
  return rows.map((row) => ({
    kid: row.kid,
    material: known.find((key) => key.kid === row.kid)?.material ?? openRow(row, rootSecrets),
    publishedAtMs: row.publishedAt.getTime(),
    activeFromMs: row.activeFrom.getTime(),
    longestTokenSeconds: row.longestTokenSeconds,
  }))
}

// The public part is derived from the decrypted private one, so that whoever can write to the
// table but does not have the root secret cannot make us publish a key of theirs.
function openRow(
  row: Parameters<typeof decryptPrivateKey>[0] & { kid: string; alg: string },
  rootSecrets: RootSecrets,
) {
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
  tx: Transaction,
  { generated, ...key }: InsertSigningKey,
  rootSecrets: RootSecrets,
): Promise<void> {
  const { kid, alg, pkcs8 } = generated
  const clients = await tx.client.aggregate({ _max: { accessTokenTtlSeconds: true } })
  await tx.signingKey.create({
    data: {
      kid,
      alg,
      publicJwk: openKeyMaterial(generated).publicJwk,
      ...encryptPrivateKey(pkcs8, kid, rootSecrets.current),
      publishedAt: new Date(key.publishedAtMs),
      activeFrom: new Date(key.activeFromMs),
      longestTokenSeconds: Math.max(
        key.accessTokenTtlSeconds,
        clients._max.accessTokenTtlSeconds ?? 0,
      ),
    },
  })
  await bumpTableVersion(tx, SIGNING_KEYS)
}

export async function deleteSigningKeys(
  tx: Transaction,
  keys: readonly SigningKey[],
): Promise<void> {
  const kids = keys.map((key) => key.kid)
  const { count } = await tx.signingKey.deleteMany({ where: { kid: { in: kids } } })
  if (count > 0) await bumpTableVersion(tx, SIGNING_KEYS)
}

/**
 * Keeps every key in JWKS for as long as tokens of `seconds` may live. Whoever stores a client
 * with its own access-token life calls this in the same transaction, after it has written the client:
 * whoever takes the other order, this lock before a row of a client, makes a deadlock.
 */
export async function raiseLongestTokenLife(tx: Transaction, seconds: number): Promise<void> {
  await lockSigningKeys(tx)
  const { count } = await tx.signingKey.updateMany({
    where: { longestTokenSeconds: { lt: seconds } },
    data: { longestTokenSeconds: seconds },
  })
  if (count > 0) await bumpTableVersion(tx, SIGNING_KEYS)
}

/** Brings every key under the first root secret, so that the others can be taken out. Needs the lock. */
export async function reencryptSigningKeys(
  tx: Transaction,
  rootSecrets: RootSecrets,
): Promise<void> {
  const { current } = rootSecrets
  const rows = await tx.signingKey.findMany({ where: { rootSecretId: { not: current.id } } })
  for (const row of rows) {
    const pkcs8 = decryptPrivateKey(row, row.kid, rootSecrets)
    await tx.signingKey.update({
      where: { kid: row.kid },
      data: encryptPrivateKey(pkcs8, row.kid, current),
    })
  }
}
