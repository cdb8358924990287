// The table of trusted issuers in PostgreSQL. Whatever is stored was checked as a whole, and every
// change tells the other instances of itself. There are few, so they are read together.

import { isDeepStrictEqual } from 'node:util'
import { type Database, guardDatabase } from '../database/database.ts'
import { openPlainQuery, type PlainQuery } from '../database/plain-query.ts'
import { bumpTableVersion } from '../database/table-versions.ts'
import { inTransaction } from '../database/transaction.ts'
import type { Clock } from '../runtime/clock.ts'
import { AlreadyTaken, type Checked } from '../runtime/field-error.ts'
import type { SubjectMapping, TrustedIssuer } from './trusted-issuer.ts'
import {
  draftNewTrustedIssuer,
  draftTrustedIssuer,
  type NewTrustedIssuerInput,
  type TrustedIssuerDraft,
  type TrustedIssuerPatch,
} from './trusted-issuer-draft.ts'

/** All of them are in the memory of every instance. */
const ISSUERS_MAX = 100

/** Called with the issuer, whose table is locked; throws to prevent the change. */
export type CheckIssuer = (current: TrustedIssuer) => void

/** Every method rejects with DependencyUnavailable when PostgreSQL does not answer. */
export interface TrustedIssuerStore {
  /** Oldest first. */
  readAll(): Promise<readonly TrustedIssuer[]>
  /** Throws AlreadyTaken with `/id` or `/issuer`; `full` where there are too many already. */
  create(input: NewTrustedIssuerInput): Promise<Checked<TrustedIssuer> | 'full'>
  /** Merges as RFC 7396 does and checks the whole; undefined for an unknown id. */
  patch(
    id: string,
    patch: TrustedIssuerPatch,
    check?: CheckIssuer,
  ): Promise<{ readonly checked: Checked<TrustedIssuer>; readonly changed: boolean } | undefined>
  /** Whether there was one. */
  delete(id: string, check?: CheckIssuer): Promise<boolean>
}

export interface TrustedIssuerStoreDependencies {
  readonly database: Pick<Database, 'pool'>
  /** Our own issuer, which is the audience where none is stated. */
  readonly audience: string
  readonly clock: Clock
}

/** An empty object stands for none. */
interface Row extends Omit<TrustedIssuerDraft, 'jwks' | 'subjects'> {
  readonly id: string
  readonly jwks: object
  readonly subjects: object
  readonly createdAt: Date
  readonly updatedAt: Date
}

// SQL of ours, because every start reads them and need not load Prisma for it.
const SELECT = `SELECT id, issuer, kind, jwks, jwks_uri AS "jwksUri",
  allow_private_network AS "allowPrivateNetwork", audience, algs, replay, subjects,
  created_at AS "createdAt", updated_at AS "updatedAt" FROM trusted_issuers
  ORDER BY created_at, id`

const WRITE = `INSERT INTO trusted_issuers (id, issuer, kind, jwks, jwks_uri, allow_private_network,
    audience, algs, replay, subjects, created_at, updated_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
  ON CONFLICT (id) DO UPDATE SET jwks = excluded.jwks, jwks_uri = excluded.jwks_uri,
    allow_private_network = excluded.allow_private_network, audience = excluded.audience,
    algs = excluded.algs, replay = excluded.replay, subjects = excluded.subjects,
    updated_at = excluded.updated_at`

export function openTrustedIssuerStore(
  dependencies: TrustedIssuerStoreDependencies,
): TrustedIssuerStore {
  const { database, audience, clock } = dependencies
  const { pool } = database

  const readRows = (query: PlainQuery) => query<Row & Record<string, unknown>>(SELECT)
  const toIssuer = (row: Row): TrustedIssuer => ({
    id: row.id,
    ...rowToDraft(row),
    audience: row.audience ?? audience,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  })

  /** Under the lock of the version row: one change at a time, each on what is there. */
  function change<T>(work: (query: PlainQuery, rows: readonly Row[]) => Promise<T>): Promise<T> {
    return inTransaction(pool, async (client) => {
      const query = openPlainQuery(client)
      await bumpTableVersion(query, 'trusted_issuers')
      return await work(query, await readRows(query))
    })
  }

  return {
    async readAll() {
      return (await guardDatabase(() => readRows(openPlainQuery(pool)))).map(toIssuer)
    },

    async create(input) {
      const checked = draftNewTrustedIssuer(input)
      if (!checked.ok) return checked
      const draft = checked.value
      return await change(async (query, rows) => {
        if (rows.some(({ id }) => id === input.id)) throw new AlreadyTaken('/id')
        if (rows.some(({ issuer }) => issuer === draft.issuer)) throw new AlreadyTaken('/issuer')
        if (rows.length >= ISSUERS_MAX) return 'full'
        const now = new Date(clock())
        const row = { id: input.id, ...draftToColumns(draft), createdAt: now, updatedAt: now }
        await write(query, row)
        return { ok: true, value: toIssuer(row) }
      })
    },

    async patch(id, patch, check) {
      return await change(async (query, rows) => {
        const stored = rows.find((row) => row.id === id)
        if (!stored) return undefined
        const current = toIssuer(stored)
        check?.(current)
        const before = rowToDraft(stored)
        const checked = draftTrustedIssuer({ ...before, ...patch })
        if (!checked.ok) return { checked, changed: false }
        if (isDeepStrictEqual(checked.value, before)) {
          return { checked: { ok: true, value: current }, changed: false }
        }
        const { createdAt } = stored
        const updatedAt = new Date(clock())
        const row = { id, ...draftToColumns(checked.value), createdAt, updatedAt }
        await write(query, row)
        return { checked: { ok: true, value: toIssuer(row) }, changed: true }
      })
    },

    async delete(id, check) {
      return await change(async (query, rows) => {
        const stored = rows.find((row) => row.id === id)
        if (!stored) return false
        check?.(toIssuer(stored))
        await query('DELETE FROM trusted_issuers WHERE id = $1', [id])
        return true
      })
    },
  }
}

async function write(query: PlainQuery, row: Row): Promise<void> {
  const { id, issuer, kind, jwks, jwksUri, allowPrivateNetwork, audience, algs } = row
  const keys = [JSON.stringify(jwks), jwksUri, allowPrivateNetwork]
  const rules = [audience, algs, row.replay, JSON.stringify(row.subjects)]
  await query(WRITE, [id, issuer, kind, ...keys, ...rules, row.createdAt, row.updatedAt])
}

function draftToColumns(draft: TrustedIssuerDraft) {
  return { ...draft, jwks: draft.jwks ?? {}, subjects: draft.subjects ?? {} }
}

function rowToDraft(row: Row): TrustedIssuerDraft {
  return {
    issuer: row.issuer,
    kind: row.kind,
    jwks: readJson<NonNullable<TrustedIssuer['jwks']>>(row.jwks),
    jwksUri: row.jwksUri,
    allowPrivateNetwork: row.allowPrivateNetwork,
    audience: row.audience,
    algs: row.algs,
    replay: row.replay,
    subjects: readJson<SubjectMapping>(row.subjects),
  }
}

function readJson<Value extends object>(column: object): Value | null {
  return Object.keys(column).length > 0 ? (column as Value) : null
}
