// One change of one client: a transaction that holds the client's row from before it reads until
// it commits, so that two administrators never overwrite each other.

import { guardDatabase } from '../database/database.ts'
import { bumpTableVersion } from '../database/table-versions.ts'
import type { Prisma, PrismaClient } from '../generated/prisma/client.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ClientChoices } from './client-choices.ts'
import type { ClientLimits } from './client-draft.ts'
import { type ClientRow, WITH_SECRETS } from './client-row.ts'

export type Transaction = Prisma.TransactionClient

export interface ClientStoreDependencies {
  readonly prisma: PrismaClient
  /** The limits of the configuration. */
  readonly defaults: ClientLimits
  readonly choices: ClientChoices
  /** The bootstrap client's id, which nobody else may have. */
  readonly reservedId: string | undefined
  /** Signing keys must be published for as long as any token lives: told before there is one. */
  readonly raiseLongestTokenLife: (tx: Transaction, seconds: number) => Promise<void>
  /** Not behind that of any instance which dates families. */
  readonly clock: Clock
}

/** Runs `work` in a transaction; rejects with DependencyUnavailable. */
export function inChange<T>(
  prisma: PrismaClient,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  return guardDatabase(() => prisma.$transaction(work, { isolationLevel: 'ReadCommitted' }))
}

/** The client as the last change left it, and nobody else's until this one commits. */
export async function lockClient(tx: Transaction, id: string): Promise<ClientRow | null> {
  await tx.$queryRaw`SELECT 1 FROM clients WHERE id = ${id} FOR UPDATE`
  return await tx.client.findUnique({ where: { id }, include: WITH_SECRETS })
}

/** Lets the other instances learn of the change; the last step of each. */
export function announceChange(tx: Transaction): Promise<void> {
  return bumpTableVersion(tx, 'clients')
}
