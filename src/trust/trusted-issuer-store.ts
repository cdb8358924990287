// The table of trusted issuers in PostgreSQL. Whatever is stored was checked as a whole, and every
// change tells the other instances of itself. There are few, so they are read together.

import { isDeepStrictEqual } from 'node:util'
import { type Database, guardDatabase } from '../database/database.ts'
import { openPlainQuery, type PlainQuery } from '../database/plain-query.ts'
import { bumpTableVersion } from '../database/table-versions.ts'
import { inTransaction } from '../database/transaction.ts'
import { type AppliedMark, nextMark, type WantedMark } from '../runtime/applied-mark.ts'
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
  /** As they are stored, for files that are applied; oldest first. */
  readDeclared(): Promise<readonly DeclaredIssuer[]>
  /**
   * Makes it, or changes it as a whole to what is wished for. Throws AlreadyTaken with `/issuer`, and with
   * `/id` where the issuer or the kind is another one, which nothing changes.
   */
  put(wish: IssuerWish): Promise<Checked<IssuerOutcome> | 'full'>
}

export interface DeclaredIssuer {
  readonly id: string
  /** A null audience follows the issuer of this service. */
  readonly settings: TrustedIssuerDraft
  readonly mark: AppliedMark
}

export interface IssuerWish {
  readonly id: string
  readonly settings: Omit<NewTrustedIssuerInput, 'id'>
  readonly mark: WantedMark
}

export interface IssuerOutcome {
  readonly created: boolean
  /** The settings that were changed, and `labels`; none where all was so already. */
  readonly changed: readonly string[]
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
  readonly applied: AppliedMark
  readonly createdAt: Date
  readonly updatedAt: Date
}

// SQL of ours, because every start reads them and need not load Prisma for it.
const SELECT = `SELECT id, issuer, kind, jwks, jwks_uri AS "jwksUri",
  allow_private_network AS "allowPrivateNetwork", audience, algs, replay, subjects, applied,
  created_at AS "createdAt", updated_at AS "updatedAt" FROM trusted_issuers
  ORDER BY created_at, id`

const WRITE = `INSERT INTO trusted_issuers (id, issuer, kind, jwks, jwks_uri, allow_private_network,
    audience, algs, replay, subjects, applied, created_at, updated_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
  ON CONFLICT (id) DO UPDATE SET jwks = excluded.jwks, jwks_uri = excluded.jwks_uri,
    allow_private_network = excluded.allow_private_network, audience = excluded.audience,
    algs = excluded.algs, replay = excluded.replay, subjects = excluded.subjects,
    applied = excluded.applied,
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
        const times = { createdAt: now, updatedAt: now }
        const row = { id: input.id, ...draftToColumns(draft), applied: {}, ...times }
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
        const { createdAt, applied } = stored
        const updatedAt = new Date(clock())
        const row = { id, ...draftToColumns(checked.value), applied, createdAt, updatedAt }
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

    async readDeclared() {
      const rows = await guardDatabase(() => readRows(openPlainQuery(pool)))
      return rows.map((row) => ({ id: row.id, settings: rowToDraft(row), mark: row.applied }))
    },

    async put(wish) {
      const checked = draftNewTrustedIssuer({ id: wish.id, ...wish.settings })
      if (!checked.ok) return checked
      return await change((query, rows) =>
        putIssuer(query, rows, { ...wish, settings: checked.value }, new Date(clock())),
      )
    },
  }
}

async function putIssuer(
  query: PlainQuery,
  rows: readonly Row[],
  wish: IssuerWish & { readonly settings: TrustedIssuerDraft },
  now: Date,
): Promise<Checked<IssuerOutcome> | 'full'> {
  const { id, settings } = wish
  const stored = rows.find((row) => row.id === id)
  const isOther = stored && (stored.issuer !== settings.issuer || stored.kind !== settings.kind)
  if (isOther) throw new AlreadyTaken('/id')
  if (rows.some((row) => row.id !== id && row.issuer === settings.issuer)) {
    throw new AlreadyTaken('/issuer')
  }
  if (!stored && rows.length >= ISSUERS_MAX) return 'full'
  const applied = nextMark(stored?.applied, wish.mark)
  const before = stored && { ...rowToDraft(stored), labels: stored.applied }
  const after = { ...settings, labels: applied }
  const names = Object.keys(after) as (keyof typeof after)[]
  const changed = before
    ? names.filter((name) => !isDeepStrictEqual(before[name], after[name]))
    : []
  if (!before || changed.length > 0) {
    const times = { createdAt: stored?.createdAt ?? now, updatedAt: now }
    await write(query, { id, ...draftToColumns(settings), applied, ...times })
  }
  return { ok: true, value: { created: !before, changed } }
}

async function write(query: PlainQuery, row: Row): Promise<void> {
  const { id, issuer, kind, jwks, jwksUri, allowPrivateNetwork, audience, algs } = row
  const keys = [JSON.stringify(jwks), jwksUri, allowPrivateNetwork]
  const documents = [JSON.stringify(row.subjects), JSON.stringify(row.applied)]
  const rules = [audience, algs, row.replay, ...documents]
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
