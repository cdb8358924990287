// Clients and their secrets as administrators manage them: every change is recorded, and in force on
// this instance before it is answered.

import type { Client } from '../clients/client.ts'
import type { ClientInput, NewClientInput } from '../clients/client-draft.ts'
import { isClientId } from '../clients/client-id.ts'
import type { AddedSecret } from '../clients/client-secret.ts'
import type { ClientStore } from '../clients/client-store.ts'
import { mapPage, type Page, type PageRequest } from '../database/keyset-page.ts'
import { type Act, withAct } from '../runtime/act.ts'
import type { RecordEvent, SecurityEvent } from '../runtime/security-event.ts'
import { type ClientView, toClientView } from './client-view.ts'
import { accepted, found, ManagementError } from './management-error.ts'

export interface ClientManagementDependencies {
  readonly clientStore: ClientStore
  /** Brings what has changed into force here; rejects with DependencyUnavailable. */
  readonly refreshClient: (id: string) => Promise<void>
  readonly recordEvent: RecordEvent
}

export interface NewClientView extends ClientView {
  /** Shown this once; undefined for a client that uses none. */
  readonly clientSecret: string | undefined
}

/** Sees the client under its lock, and throws to leave it as it is. */
export type CheckClient = (current: ClientView) => void

/**
 * Every method rejects with DependencyUnavailable, and those for one client with ManagementError
 * `not_found`; deleting what is not there is harmless. What is given is checked as a whole:
 * ManagementError `invalid`.
 */
export interface ClientManagement {
  /** Oldest first. */
  list(page: PageRequest): Promise<Page<ClientView>>
  listAll(): Promise<ClientView[]>
  find(id: string): Promise<ClientView>
  /** Throws AlreadyTaken with `/id`. */
  create(input: NewClientInput, act: Act): Promise<NewClientView>
  /** Merges as RFC 7396 does. What asks for nothing new changes nothing. */
  update(id: string, patch: ClientInput, act: Act, check?: CheckClient): Promise<ClientView>
  delete(id: string, act: Act, check?: CheckClient): Promise<void>
  /** Every family and token of the client so far is dead. */
  endSessions(id: string, act: Act): Promise<void>
  /** Throws ManagementError `conflict` for a third one, and for a public client. */
  addSecret(id: string, act: Act): Promise<AddedSecret>
  /** Throws ManagementError `conflict` for the last one of a client that uses one. */
  removeSecret(id: string, secretId: string, act: Act): Promise<void>
}

export function openClientManagement(dependencies: ClientManagementDependencies): ClientManagement {
  const { clientStore: store, refreshClient, recordEvent } = dependencies
  const record = (event: SecurityEvent, act: Act) => recordEvent(withAct(event, act))
  return {
    list: async (page) => mapPage(await store.list(page), toClientView),
    listAll: async () => (await store.loadAll()).map(toClientView),
    find: async (id) => toClientView(found(await store.find(knownId(id)), 'client')),

    async create(input, act) {
      const { client, clientSecret } = accepted(await store.create(input))
      record({ type: 'client.created', clientId: client.id }, act)
      await refreshIfPossible(client.id)
      return { ...toClientView(client), clientSecret }
    },

    async update(id, patch, act, check) {
      const clientId = knownId(id)
      const detail = { changed: Object.keys(patch) }
      const onChanged = () => record({ type: 'client.updated', clientId, detail }, act)
      const patched = await store.patch(clientId, patch, onView(check), onChanged)
      const client = accepted(found(patched, 'client'))
      await refreshClient(clientId)
      return toClientView(client)
    },

    async delete(id, act, check) {
      if (isClientId(id) && (await store.delete(id, onView(check)))) {
        record({ type: 'client.deleted', clientId: id }, act)
      }
      // Also when nothing was there: this may repeat a call whose own refresh failed.
      await refreshClient(id)
    },

    async endSessions(id, act) {
      if (isClientId(id) && (await store.endSessions(id))) {
        const reason = 'client_sessions_ended'
        record({ type: 'token.revoked', reason, clientId: id }, act)
      }
      await refreshClient(id)
    },

    async addSecret(id, act) {
      const clientId = knownId(id)
      const added = found(await store.addSecret(clientId), 'client')
      if (added === 'refused') {
        const detail = 'A confidential client has at most two secrets, a public client has none.'
        throw new ManagementError('conflict', detail)
      }
      record({ type: 'client.secret_added', clientId, detail: { secretId: added.id } }, act)
      await refreshIfPossible(clientId)
      return added
    },

    async removeSecret(id, secretId, act) {
      const removed = isClientId(id) && (await store.removeSecret(id, secretId))
      if (removed === 'refused') {
        throw new ManagementError('conflict', 'The last secret of a client that uses one stays.')
      }
      const event = { type: 'client.secret_removed', clientId: id, detail: { secretId } } as const
      if (removed) record(event, act)
      await refreshClient(id)
    },
  }

  /**
   * Never fails: the answer that follows holds the only copy of a secret. The poll makes up for a
   * failed refresh.
   */
  async function refreshIfPossible(id: string): Promise<void> {
    await refreshClient(id).catch(() => {})
  }
}

function onView(check: CheckClient | undefined) {
  return check && ((current: Client) => check(toClientView(current)))
}

/** The id, where a client can have it; for any other text `not_found`, without a look-up. */
function knownId(id: string): string {
  return found(isClientId(id) ? id : undefined, 'client')
}
