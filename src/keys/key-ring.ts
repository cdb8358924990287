// The signing keys of this instance: which one signs, which ones verify, what JWKS shows, and the
// life of all of them. Opened once; `tick` is called by the owner's poll.

import type { Database } from '../database/database.ts'
import type { Act } from '../runtime/act.ts'
import type { CacheableBody } from '../runtime/cacheable-body.ts'
import type { Clock } from '../runtime/clock.ts'
import { StartError } from '../runtime/start-error.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import { openHeldKeys } from './held-keys.ts'
import { keepJwksDocument } from './jwks-document.ts'
import { openKeyRotation, type RecordKeyEvent } from './key-rotation.ts'
import { raiseLongestTokenLife, reencryptSigningKeys } from './key-rows.ts'
import {
  findNewest,
  findSigner,
  type KeySettings,
  type KeyView,
  listKeyViews,
  type SigningKey,
} from './key-states.ts'
import { keepPublished } from './published-keys.ts'
import type { SigningAlg } from './signing-algorithms.ts'
import { UnreadableKey } from './unreadable-key.ts'

export interface KeyRingOptions {
  readonly database: Pick<Database, 'pool'>
  readonly config: KeySettings & { readonly rootSecrets: RootSecrets }
  readonly clock: Clock
  readonly recordKeyEvent: RecordKeyEvent
}

export interface KeyRing {
  /**
   * The one that signs now for whoever asks for `alg`: that of the default algorithm for null, and
   * where none of `alg` may sign.
   */
  active(alg: string | null): SigningKey
  /** The one of that `kid`, as long as what it has signed is to be believed. */
  find(kid: string): SigningKey | undefined
  jwks(): CacheableBody
  /** Oldest first. */
  list(): readonly KeyView[]
  /**
   * Publishes a successor, of `alg` alone or of every configured algorithm, that signs once every cached
   * JWKS holds it. `compromised` drops every key there is, retiring and waiting ones too, and signs
   * with fresh ones at once. Events name whoever `act` names. Rejects with DependencyUnavailable.
   */
  rotate(options: RotateOptions): Promise<RotateResult>
  /**
   * Takes over what other instances changed. Rejects with DependencyUnavailable or
   * UnreadableKey; the keys in memory then stay in use and the poll repeats it.
   */
  reload(): Promise<void>
  /**
   * Does what has fallen due; cheap when nothing has. Rejects as `reload` does; the next one tries
   * again.
   */
  tick(): Promise<void>
  /** In place of `tick`, where another process does that: keeps in step, and records nothing. */
  follow(): void
}

export interface RotateOptions {
  readonly compromised: boolean
  readonly alg?: SigningAlg
  readonly act?: Act
}

/** The key of the algorithm that was named, else of the default; not `created` where it waited already. */
export interface RotateResult {
  readonly key: KeyView
  readonly created: boolean
}

/**
 * Loads the keys, or makes the first ones; then publishes successors that are due. Rejects with
 * StartError when no configured root secret opens a key, or with DependencyUnavailable.
 */
export async function openKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  const { database, config, clock, recordKeyEvent } = options
  const { rootSecrets, signingAlgs } = config
  const held = openHeldKeys(database, rootSecrets)
  try {
    await held.change(async (query) => {
      await reencryptSigningKeys(query, rootSecrets)
      await raiseLongestTokenLife(query, config.accessTokenTtlSeconds)
    })
  } catch (cause) {
    throw cause instanceof UnreadableKey ? new StartError(cause.message, { cause }) : cause
  }
  const rotation = openKeyRotation({ ...config, held, clock, recordKeyEvent })
  await rotation.rotateIfDue()

  const listPublished = keepPublished()
  const published = () => listPublished(held.keys(), clock())
  const jwksOf = keepJwksDocument(config.jwksMaxAgeSeconds)
  return {
    active(alg) {
      const key = findSigner(held.keys(), alg, signingAlgs, clock())
      if (!key) throw new Error('there is no signing key')
      return key
    },
    find: (kid) => published().find((key) => key.kid === kid),
    jwks: () => jwksOf(published()),
    list: () => listKeyViews(held.keys(), clock()),
    async rotate({ compromised, alg, act }) {
      const algs = alg === undefined ? signingAlgs : [alg]
      const made = compromised ? await rotation.replaceAll(act) : await rotation.rotate(algs, act)
      const shownAlg = alg ?? signingAlgs[0]
      // The newest key is the one just made, or the one that waited.
      const newest = findNewest(held.keys(), shownAlg)
      const key = listKeyViews(held.keys(), clock()).find(({ kid }) => kid === newest?.kid)
      if (!key) throw new Error('there is no signing key')
      return { key, created: made.has(shownAlg) }
    },
    reload: () => held.read(),
    follow: rotation.follow,
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
