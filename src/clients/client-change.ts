// One change of one client: a transaction that holds the client's row from before it reads until
// it commits, so that two administrators never overwrite each other. A trigger of the table tells other
// instances which client it was (docs/adr/0020-changes-of-clients-come-from-a-log.md).

import { guardDatabase } from '../database/database.ts'
import type { LoadPrisma } from '../database/prisma.ts'
import type { Prisma } from '../generated/prisma/client.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ClientChoices } from './client-choices.ts'
import type { ClientLimits } from './client-draft.ts'
import { type MarkedClientRow, WITH_SECRETS } from './client-row.ts'

export type Transaction = Prisma.TransactionClient

export interface ClientStoreDependencies {
  readonly prisma: LoadPrisma
  /** The limits of the configuration. */
  readonly defaults: ClientLimits
  readonly choices: ClientChoices
  /** The bootstrap client's id, which nobody else may have. */
  readonly reservedId: string | undefined
  /** Told of a longer token life before it holds: keys are published for as long as tokens live. */
  readonly raiseLongestTokenLife: (tx: Transaction, seconds: number) => Promise<void>
  /** Never behind the clock by which any instance dates families. */
  readonly clock: Clock
}

/** Runs `work` in a transaction; rejects with DependencyUnavailable. */
export async function inChange<T>(
  prisma: LoadPrisma,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const client = await prisma()
  return await guardDatabase(() => client.$transaction(work, { isolationLevel: 'ReadCommitted' }))
}

/** Locks the client's row until the transaction ends, and reads it. */
export async function lockClient(tx: Transaction, id: string): Promise<MarkedClientRow | null> {
  await tx.$queryRaw`SELECT 1 FROM clients WHERE id = ${id} FOR UPDATE`
  return await tx.client.findUnique({ where: { id }, include: WITH_SECRETS })
}
