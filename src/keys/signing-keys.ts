// The signing keys of this instance: what signs, what verifies, what JWKS shows, and the life of
// all of them. Opened once; `tick` is called by the owner's poll.

import type { Database } from '../database/database.ts'
import type { CacheableBody } from '../runtime/cacheable-body.ts'
import type { Clock } from '../runtime/clock.ts'
import { StartError } from '../runtime/start-error.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import { type AccessTokenClaims, signAccessToken } from '../tokens/access-token.ts'
import { verifyAccessToken } from '../tokens/verify-access-token.ts'
import { buildJwksDocument } from './jwks-document.ts'
import { type KeyAct, openKeyRotation, type RecordKeyEvent } from './key-rotation.ts'
import {
  findActive,
  type KeySettings,
  type KeyView,
  listKeyViews,
  listPublished,
} from './signing-key.ts'
import { raiseLongestTokenLife, reencryptSigningKeys } from './signing-key-store.ts'
import { openSigningKeyTable } from './signing-key-table.ts'
import { SigningKeyUnreadable } from './signing-key-unreadable.ts'

export interface SigningKeysOptions {
  readonly database: Pick<Database, 'prisma'>
  readonly config: KeySettings & { readonly issuer: string; readonly rootSecrets: RootSecrets }
  readonly clock: Clock
  readonly recordKeyEvent: RecordKeyEvent
}

export interface SigningKeys {
  /** Synchronous, with the key that is active now. */
  sign(claims: AccessTokenClaims): string
  /** Offline and synchronous; undefined for anything but a token of ours that has not expired. */
  verify(token: string): AccessTokenClaims | undefined
  jwks(): CacheableBody
  /** Oldest first. */
  list(): readonly KeyView[]
  /**
   * Publishes a successor that signs once every cached JWKS holds it; `created` is false when one
   * waits already. `compromised` drops every key there is, retiring and waiting ones too, and signs
   * with a fresh one at once. Events name whoever `act` names. Rejects with DependencyUnavailable.
   */
  rotate(options: { readonly compromised: boolean; readonly act?: KeyAct }): Promise<RotateResult>
  /**
   * Takes over what other instances changed. Rejects with DependencyUnavailable or
   * SigningKeyUnreadable; the keys in memory then stay in use and the poll repeats it.
   */
  reload(): Promise<void>
  /**
   * Does what has fallen due; cheap when nothing has. Rejects as `reload` does; the next one tries
   * again.
   */
  tick(): Promise<void>
}

export interface RotateResult {
  readonly key: KeyView
  readonly created: boolean
}

/**
 * Loads the keys, or makes the first one; then publishes a successor if one is due. Rejects with
 * StartError when no configured root secret opens a key, or with DependencyUnavailable.
 */
export async function openSigningKeys(options: SigningKeysOptions): Promise<SigningKeys> {
  const { database, config, clock, recordKeyEvent } = options
  const { issuer, rootSecrets } = config
  const table = openSigningKeyTable(database, rootSecrets)
  try {
    await table.change(async (tx) => {
      await reencryptSigningKeys(tx, rootSecrets)
      await raiseLongestTokenLife(tx, config.accessTokenTtlSeconds)
    })
  } catch (cause) {
    throw cause instanceof SigningKeyUnreadable ? new StartError(cause.message, { cause }) : cause
  }
  const rotation = openKeyRotation({ ...config, table, clock, recordKeyEvent })
  await rotation.rotateIfDue()

  const published = () => listPublished(table.keys(), clock())
  return {
    sign(claims) {
      const key = findActive(table.keys(), clock())
      if (!key) throw new Error('there is no signing key')
      return signAccessToken(claims, key)
    },
    verify(token) {
      const findKey = (kid: string) => published().find((key) => key.kid === kid)
      return verifyAccessToken(token, { issuer, findKey, nowMs: clock() })
    },
    jwks: () => buildJwksDocument(published(), config.jwksMaxAgeSeconds),
    list: () => listKeyViews(table.keys(), clock()),
    async rotate({ compromised, act }) {
      const created = compromised ? await rotation.replaceAll(act) : await rotation.rotate(act)
      // The newest key is the one just made, or the one that waited.
      const key = listKeyViews(table.keys(), clock()).at(-1)
      if (!key) throw new Error('there is no signing key')
      return { key, created }
    },
    reload: () => table.read(),
    async tick() {
      try {
        await rotation.rotateIfDue()
        await rotation.deleteRetired()
      } finally {
        rotation.announceActive()
      }
    },
  }
}
