// The factors and recovery codes of users in PostgreSQL: made, listed, activated and taken away. What
// changes how a user logs in is one change of the user, under the row's lock: it starts an epoch, so that
// every other family ends, and keeps the column that logins read.

import { randomUUID } from 'node:crypto'
import { guardDatabase } from '../database/database.ts'
import { OLDEST_FIRST, type Page, type PageRequest, readPage } from '../database/keyset-page.ts'
import type { LoadPrisma } from '../database/prisma.ts'
import type { Factor as FactorRow, Prisma, User as UserRow } from '../generated/prisma/client.ts'
import type { Clock } from '../runtime/clock.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import type { UserId } from '../users/user.ts'
import type { ChangeUser, OnChanged, PasswordChangeSource } from '../users/user-change.ts'
import { recordOf, startEpoch, userOf } from '../users/user-row.ts'
import { FACTORS_MAX, type Factor, type FactorId, PENDING_MS } from './factor.ts'
import { newFactorSecret, sealFactorSecret, unsealFactorSecret } from './factor-secret.ts'
import { hashRecoveryCode, newRecoveryCodes } from './recovery-code.ts'
import { findStep, readCode } from './totp.ts'

/** The session that changes its own factors, and lives on; an administrator has none. */
export type FactorChangeSource = Pick<PasswordChangeSource, 'keptFamilyId' | 'check'>

export type CreatedFactor =
  | { readonly outcome: 'created'; readonly factor: Factor; readonly secret: Buffer }
  | { readonly outcome: 'too_many' }
  | { readonly outcome: 'user_unknown' }

export type ActivatedFactor =
  /** The codes only where the user had no active factor before. */
  | {
      readonly outcome: 'activated'
      readonly factor: Factor
      readonly recoveryCodes: readonly string[] | undefined
    }
  | { readonly outcome: 'code_wrong' | 'active_already' | 'unknown' }

/**
 * Every method rejects with DependencyUnavailable when PostgreSQL is away; those that end families
 * also when the family store is: the change then stands, and the journal carries it. Nothing of a
 * deleted user is there.
 */
export interface FactorStore {
  /** A pending one with a new secret. */
  create(userId: UserId, name: string | undefined): Promise<CreatedFactor>
  /** Oldest first. */
  list(userId: UserId, page: PageRequest): Promise<Page<Factor>>
  activate(
    userId: UserId,
    id: FactorId,
    code: string,
    onChanged?: OnChanged,
    from?: FactorChangeSource,
  ): Promise<ActivatedFactor>
  /** `onChanged` is told of an active one only: nothing else of the user changes by a pending one. */
  remove(
    userId: UserId,
    id: FactorId,
    onChanged?: OnChanged,
    from?: FactorChangeSource,
  ): Promise<void>
  /** All of them, and the recovery codes. */
  removeAll(userId: UserId, onChanged?: OnChanged): Promise<void>
  /** Ten new codes in place of all others; undefined without an active factor. */
  renewRecoveryCodes(
    userId: UserId,
    onChanged?: OnChanged,
    from?: FactorChangeSource,
  ): Promise<readonly string[] | undefined>
}

export interface FactorStoreDependencies {
  readonly prisma: LoadPrisma
  readonly changeUser: ChangeUser
  readonly rootSecrets: RootSecrets
  readonly clock: Clock
}

type Transaction = Prisma.TransactionClient

export function openFactorStore(dependencies: FactorStoreDependencies): FactorStore {
  const { prisma, changeUser, clock } = dependencies

  return {
    async create(userId, name) {
      const client = await prisma()
      const create = (tx: Transaction) => createPending(tx, userId, name, dependencies)
      return await guardDatabase(() => client.$transaction(create))
    },

    async list(userId, page) {
      const { factor } = await prisma()
      return await readPage(page, {
        order: OLDEST_FIRST,
        where: { userId, ...present(clock()) },
        find: (query) => factor.findMany(query),
        toItem: toFactor,
      })
    },

    async activate(userId, id, code, onChanged, from) {
      let done: ActivatedFactor = { outcome: 'unknown' }
      const decide = async (row: UserRow, now: Date, tx: Transaction) => {
        checkSource(row, from)
        done = await activatePending(tx, row, { id, userId }, code, now, dependencies.rootSecrets)
        const isActivated = done.outcome === 'activated'
        return isActivated ? { ...endOthers(row, now, from), hasFactor: true } : undefined
      }
      await changeUser(userId, decide, onChanged)
      return done
    },

    async remove(userId, id, onChanged, from) {
      const decide = async (row: UserRow, now: Date, tx: Transaction) => {
        checkSource(row, from)
        const found = await tx.factor.findFirst({ where: { id, userId } })
        await tx.factor.deleteMany({ where: { id, userId } })
        if (found?.status !== 'active') return undefined
        const left = await tx.factor.count({ where: { userId, status: 'active' } })
        if (left === 0) await tx.recoveryCode.deleteMany({ where: { userId } })
        return { ...endOthers(row, now, from), hasFactor: left > 0 }
      }
      await changeUser(userId, decide, onChanged)
    },

    async removeAll(userId, onChanged) {
      const decide = async (row: UserRow, now: Date, tx: Transaction) => {
        await forgetFactors(tx, userId)
        return row.hasFactor ? { ...endOthers(row, now), hasFactor: false } : undefined
      }
      await changeUser(userId, decide, onChanged)
    },

    async renewRecoveryCodes(userId, onChanged, from) {
      let codes: readonly string[] | undefined
      const decide = async (row: UserRow, now: Date, tx: Transaction) => {
        checkSource(row, from)
        codes = row.hasFactor ? await replaceCodes(tx, userId) : undefined
        return codes && endOthers(row, now, from)
      }
      await changeUser(userId, decide, onChanged)
      return codes
    },
  }
}

async function createPending(
  tx: Transaction,
  userId: UserId,
  name: string | undefined,
  { rootSecrets, clock }: FactorStoreDependencies,
): Promise<CreatedFactor> {
  // So that two at once do not make one too many.
  await tx.$queryRaw`SELECT 1 FROM users WHERE id = ${userId}::uuid FOR UPDATE`
  const user = await tx.user.findUnique({ where: { id: userId } })
  if (!user || !userOf(user)) return { outcome: 'user_unknown' }
  const createdAt = new Date(clock())
  await tx.factor.deleteMany({ where: { userId, NOT: present(createdAt.getTime()) } })
  if ((await tx.factor.count({ where: { userId } })) >= FACTORS_MAX) return { outcome: 'too_many' }
  const id = randomUUID() as FactorId
  const secret = newFactorSecret()
  const sealed = sealFactorSecret(secret, { id, userId }, rootSecrets)
  const data = { id, userId, type: 'totp', name: name ?? null, ...sealed, createdAt }
  return { outcome: 'created', factor: toFactor(await tx.factor.create({ data })), secret }
}

async function activatePending(
  tx: Transaction,
  user: UserRow,
  owner: { readonly id: FactorId; readonly userId: UserId },
  code: string,
  now: Date,
  rootSecrets: RootSecrets,
): Promise<ActivatedFactor> {
  const found = await tx.factor.findFirst({ where: { ...owner, ...present(now.getTime()) } })
  if (!found) return { outcome: 'unknown' }
  if (found.status === 'active') return { outcome: 'active_already' }
  const secret = unsealFactorSecret(found, owner, rootSecrets)
  const lastStep = secret && findStep(secret, readCode(code) ?? '', now.getTime())
  if (lastStep === undefined) return { outcome: 'code_wrong' }
  const data = { status: 'active', activatedAt: now, lastStep }
  const row = await tx.factor.update({ where: { id: owner.id }, data })
  const recoveryCodes = user.hasFactor ? undefined : await replaceCodes(tx, owner.userId)
  return { outcome: 'activated', factor: toFactor(row), recoveryCodes }
}

/** Active ones, and those that are pending and not gone yet. */
function present(nowMs: number) {
  return { OR: [{ status: 'active' }, { createdAt: { gt: new Date(nowMs - PENDING_MS) } }] }
}

/** Everything that the tables of this folder have of a user; for whoever is deleted, too. */
export async function forgetFactors(tx: Transaction, userId: UserId): Promise<void> {
  await tx.factor.deleteMany({ where: { userId } })
  await tx.recoveryCode.deleteMany({ where: { userId } })
}

async function replaceCodes(tx: Transaction, userId: UserId): Promise<string[]> {
  const codes = newRecoveryCodes()
  const data = codes
    .map((code) => hashRecoveryCode(userId, code))
    .filter((hash) => hash !== undefined)
    .map((hash) => ({ userId, hash: Uint8Array.from(hash) }))
  await tx.recoveryCode.deleteMany({ where: { userId } })
  await tx.recoveryCode.createMany({ data })
  return codes
}

function checkSource(row: UserRow, from: FactorChangeSource | undefined): void {
  const user = userOf(row)
  if (user) from?.check(user, recordOf(row))
}

function endOthers(row: UserRow, now: Date, from?: FactorChangeSource) {
  return startEpoch(row, 'logged_out_everywhere', now, from?.keptFamilyId)
}

/** The columns that no `Factor` shows. */
type HiddenColumn = 'userId' | 'secretEncrypted' | 'rootSecretId' | 'lastStep'

function toFactor(row: FactorRow): Factor {
  const factor: Factor = {
    id: row.id as FactorId,
    type: 'totp',
    name: row.name ?? undefined,
    status: row.status === 'active' ? 'active' : 'pending',
    createdAt: row.createdAt,
    activatedAt: row.activatedAt ?? undefined,
  }
  return factor satisfies Record<Exclude<keyof FactorRow, HiddenColumn>, unknown>
}
