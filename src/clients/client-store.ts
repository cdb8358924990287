// Clients in PostgreSQL. Whatever is stored was checked as a whole.

import { isDeepStrictEqual } from 'node:util'
import { refusingTaken } from '../database/already-taken.ts'
import { AlreadyTaken, type Checked } from '../runtime/field-error.ts'
import type { Client } from './client.ts'
import { type ClientStoreDependencies, inChange, lockClient } from './client-change.ts'
import { usesSecret } from './client-choices.ts'
import { type ClientInput, draftClient, type NewClientInput } from './client-draft.ts'
import { isClientSlug, newClientId } from './client-id.ts'
import { type ClientReader, openClientReader } from './client-reader.ts'
import { type ClientRow, rowToClient, rowToDraft, WITH_SECRETS } from './client-row.ts'
import { newClientSecret } from './client-secret.ts'
import { type ClientSecretStore, openClientSecretStore } from './client-secret-store.ts'
import {
  changedColumns,
  lacksSecret,
  NO_SECRET,
  newColumns,
  nextEnd,
  publishClient,
} from './client-writes.ts'

export interface CreatedClient {
  readonly client: Client
  /** Shown this once; undefined for a client that uses none. */
  readonly clientSecret: string | undefined
}

/** Called with the client, whose row is locked; throws to prevent the change. */
export type CheckCurrent = (current: Client) => void

/** Every method rejects with DependencyUnavailable when PostgreSQL does not answer. */
export interface ClientStore extends ClientReader, ClientSecretStore {
  /** Throws AlreadyTaken for an id that another client has, the bootstrap client included. */
  create(input: NewClientInput): Promise<Checked<CreatedClient>>
  /**
   * Merges as RFC 7396 does and checks the whole; undefined for an unknown id. What asks for
   * nothing new changes nothing, and `onChanged` is not told.
   */
  patch(
    id: string,
    patch: ClientInput,
    check?: CheckCurrent,
    onChanged?: () => void,
  ): Promise<Checked<Client> | undefined>
  /** Whether there was one. */
  delete(id: string, check?: CheckCurrent): Promise<boolean>
  /** Every family and token of the client so far is dead; false for an unknown id. */
  endSessions(id: string): Promise<boolean>
}

export function openClientStore(dependencies: ClientStoreDependencies): ClientStore {
  const { prisma, defaults, clock } = dependencies
  const toClient = (row: ClientRow) => rowToClient(row, defaults)

  return {
    ...openClientReader(prisma, defaults),
    ...openClientSecretStore(dependencies),
    create: (input) => createClient(input, dependencies),
    async patch(id, patch, check, onChanged) {
      const done = await patchClient(id, patch, check, dependencies)
      if (done?.changed) onChanged?.()
      return done?.checked
    },

    async delete(id, check) {
      return await inChange(prisma, async (tx) => {
        const stored = await lockClient(tx, id)
        if (stored) check?.(toClient(stored))
        const { count } = await tx.client.deleteMany({ where: { id } })
        return count > 0
      })
    },

    async endSessions(id) {
      return await inChange(prisma, async (tx) => {
        const row = await lockClient(tx, id)
        if (!row) return false
        const sessionsValidFrom = nextEnd(row, clock)
        await tx.client.update({ where: { id }, data: { sessionsValidFrom } })
        return true
      })
    },
  }
}

async function createClient(
  { id, ...input }: NewClientInput,
  dependencies: ClientStoreDependencies,
): Promise<Checked<CreatedClient>> {
  const { prisma, defaults, choices, reservedId, clock } = dependencies
  const checked = checkSlug(id, draftClient(input, defaults, choices))
  if (!checked.ok) return checked
  if (id !== undefined && id === reservedId) throw new AlreadyTaken('/id')
  const clientSecret = usesSecret(checked.value, choices) ? newClientSecret() : undefined
  const data = newColumns(id ?? newClientId(), checked.value, clientSecret, clock)
  // The id is the only unique value that a caller can choose.
  const client = await refusingTaken(() =>
    inChange(prisma, async (tx) => {
      const row = await tx.client.create({ data, include: WITH_SECRETS })
      return await publishClient(tx, row, dependencies)
    }),
  )
  return { ok: true, value: { client, clientSecret } }
}

function patchClient(
  id: string,
  patch: ClientInput,
  check: CheckCurrent | undefined,
  dependencies: ClientStoreDependencies,
): Promise<{ checked: Checked<Client>; changed?: true } | undefined> {
  const { prisma, defaults, choices } = dependencies
  return inChange(prisma, async (tx) => {
    const stored = await lockClient(tx, id)
    if (!stored) return undefined
    const current = rowToClient(stored, defaults)
    check?.(current)
    const before = rowToDraft(stored)
    const checked = draftClient({ ...before, ...patch }, defaults, choices)
    if (!checked.ok) return { checked }
    if (lacksSecret(checked.value, stored, choices)) return { checked: NO_SECRET }
    if (isDeepStrictEqual(checked.value, before)) return { checked: { ok: true, value: current } }
    const data = changedColumns(checked.value, stored, dependencies)
    const row = await tx.client.update({ where: { id }, data, include: WITH_SECRETS })
    return {
      checked: { ok: true, value: await publishClient(tx, row, dependencies) },
      changed: true,
    }
  })
}

function checkSlug<T>(id: string | undefined, checked: Checked<T>): Checked<T> {
  if (id === undefined || isClientSlug(id)) return checked
  const detail = 'must be a slug, [a-z][a-z0-9-]{1,62}, and not a UUID'
  return { ok: false, errors: [{ pointer: '/id', detail }, ...(checked.ok ? [] : checked.errors)] }
}
