// Instances of the signing keys for tests: each has a pool of its own on one database, and all of
// them share a clock that stands still until it is stepped.

import type { Test } from 'tap'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { type KeyRing, type KeyRingOptions, openKeyRing } from '../../src/keys/key-ring.ts'
import type { AccessTokenClaims } from '../../src/tokens/access-token.ts'
import { openTokenMint, type TokenMint } from '../../src/tokens/token-mint.ts'
import { openReadyDatabase } from '../support/database.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { rootSecretsOf } from '../support/root-secrets.ts'

export const ISSUER = 'https://auth.example'

export interface SteppedClock {
  (): number
  step(seconds: number): void
}

export function steppedClock(startMs = Date.parse('2026-03-01T12:00:00Z')): SteppedClock {
  let nowMs = startMs
  return Object.assign(() => nowMs, {
    step: (seconds: number) => {
      nowMs += seconds * 1000
    },
  })
}

export interface KeyInstance extends KeyRing, Omit<TokenMint, 'sign'> {
  /** For a client that asks for that algorithm. */
  sign(claims: AccessTokenClaims, signingAlg?: string | null): string
  readonly database: Database
  /** As `type kid`. */
  readonly events: string[]
}

type Overrides = Partial<KeyRingOptions['config']> & { clock?: KeyRingOptions['clock'] }

/** A migrated database, and a function that opens one more instance on it. */
export async function openKeyInstances(t: Test, url?: string) {
  const databaseUrl = url ?? (await openTestDatabase(t)).url
  const clock = steppedClock()
  const connect = () => {
    const database = openDatabase(databaseUrl)
    t.teardown(() => database.close())
    return database
  }
  const database = await openReadyDatabase(t, databaseUrl)

  async function open({ clock: ownClock, ...config }: Overrides = {}): Promise<KeyInstance> {
    const own = connect()
    const events: string[] = []
    const keys = await openKeyRing({
      database: own,
      clock: ownClock ?? clock,
      recordKeyEvent: (type, { kid }) => events.push(`${type} ${kid}`),
      config: {
        rootSecrets: rootSecretsOf(1),
        signingAlgs: ['ES256'],
        keyRotationDays: 30,
        jwksMaxAgeSeconds: 300,
        accessTokenTtlSeconds: 600,
        ...config,
      },
    })
    const common = { issuer: ISSUER, audienceAlgs: new Map(), clock: ownClock ?? clock }
    const { sign, verify } = openTokenMint({ keys, ...common })
    return {
      ...keys,
      sign: (claims, signingAlg = null) => sign(claims, { signingAlg }),
      verify,
      database: own,
      events,
    }
  }
  return { clock, database, open }
}

/** The state of every key, oldest first. */
export function statesOf(keys: Pick<KeyRing, 'list'>): string[] {
  return keys.list().map(({ state }) => state)
}
