// What is written of a client, whoever asks for it: the columns of a new one and of a changed one, and
// what has to be known before either is in force.

import type { Clock } from '../runtime/clock.ts'
import type { Checked } from '../runtime/field-error.ts'
import type { Client } from './client.ts'
import type { ClientStoreDependencies, Transaction } from './client-change.ts'
import { type ClientChoices, usesSecret } from './client-choices.ts'
import type { ClientDraft } from './client-draft.ts'
import { type ClientRow, draftToColumns, rowToClient } from './client-row.ts'
import { secretRow } from './client-secret-store.ts'

/** Without a secret for a client that uses none. */
export function newColumns(
  id: string,
  draft: ClientDraft,
  clientSecret: string | undefined,
  clock: Clock,
) {
  const now = new Date(clock())
  return {
    ...draftToColumns(draft),
    id,
    // Families of an earlier client with the same id stay dead.
    sessionsValidFrom: new Date(firstMsAfterAll(clock)),
    createdAt: now,
    updatedAt: now,
    secrets: { create: clientSecret === undefined ? [] : [secretRow(clientSecret, now)] },
  }
}

/**
 * Between confidential and public every session ends: what the one kind of client has proved, the other has
 * not.
 */
export function changedColumns(
  draft: ClientDraft,
  stored: ClientRow,
  { choices, clock }: Pick<ClientStoreDependencies, 'choices' | 'clock'>,
) {
  return {
    ...draftToColumns(draft),
    ...(draft.type !== stored.type && { sessionsValidFrom: nextEnd(stored, clock) }),
    // A secret that is of no use is of use to whoever finds it, once a method with a secret is listed again.
    ...(!usesSecret(draft, choices) && { secrets: { deleteMany: {} } }),
    updatedAt: new Date(clock()),
  }
}

/** One millisecond later than now, because existing families may be dated by now. */
function firstMsAfterAll(clock: Clock): number {
  return clock() + 1
}

/**
 * Ends all sessions of a client. Later than the last end, even if that lies ahead of this clock: logins since
 * then are dated by it.
 */
export function nextEnd({ sessionsValidFrom }: ClientRow, clock: Clock): Date {
  return new Date(Math.max(firstMsAfterAll(clock), sessionsValidFrom.getTime() + 1))
}

/** Who was public cannot have added one before. */
export function lacksSecret(
  draft: ClientDraft,
  stored: ClientRow,
  choices: ClientChoices,
): boolean {
  const isNew = stored.type === 'public'
  return !isNew && usesSecret(draft, choices) && stored.secrets.length === 0
}

export const NO_SECRET: Checked<never> = {
  ok: false,
  errors: [{ pointer: '/authMethods', detail: 'needs a secret, which has to be added before' }],
}

/** In the transaction that wrote the row. */
export async function publishClient(
  tx: Transaction,
  row: ClientRow,
  { defaults, raiseLongestTokenLife }: ClientStoreDependencies,
): Promise<Client> {
  const client = rowToClient(row, defaults)
  await raiseLongestTokenLife(tx, client.accessTokenTtlSeconds)
  return client
}
