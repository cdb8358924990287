// Trusted issuers as administrators manage them: every change is recorded, and in force on this
// instance before it is answered.

import { type Page, type PageRequest, takePage } from '../database/keyset-page.ts'
import { type Act, withAct } from '../runtime/act.ts'
import type { RecordEvent, SecurityEventType } from '../runtime/security-event.ts'
import type { TrustedIssuer } from '../trust/trusted-issuer.ts'
import type { NewTrustedIssuerInput, TrustedIssuerPatch } from '../trust/trusted-issuer-draft.ts'
import type { CheckIssuer, TrustedIssuerStore } from '../trust/trusted-issuer-store.ts'
import { accepted, found, ManagementError } from './management-error.ts'

export interface TrustManagementDependencies {
  readonly trustedIssuerStore: TrustedIssuerStore
  /** Brings what has changed into force here; rejects with DependencyUnavailable. */
  readonly reloadTrustedIssuers: () => Promise<void>
  readonly recordEvent: RecordEvent
}

/**
 * Every method rejects with DependencyUnavailable, and those for one issuer with ManagementError
 * `not_found`; deleting what is not there is harmless. What is given is checked as a whole:
 * ManagementError `invalid`.
 */
export interface TrustManagement {
  /** Oldest first. */
  list(page: PageRequest): Promise<Page<TrustedIssuer>>
  listAll(): Promise<readonly TrustedIssuer[]>
  find(id: string): Promise<TrustedIssuer>
  /** Throws AlreadyTaken, and ManagementError `conflict` where there are too many. */
  create(input: NewTrustedIssuerInput, act: Act): Promise<TrustedIssuer>
  /** Merges as RFC 7396 does. What asks for nothing new changes nothing. */
  update(
    id: string,
    patch: TrustedIssuerPatch,
    act: Act,
    check?: CheckIssuer,
  ): Promise<TrustedIssuer>
  delete(id: string, act: Act, check?: CheckIssuer): Promise<void>
}

export function openTrustManagement(dependencies: TrustManagementDependencies): TrustManagement {
  const { trustedIssuerStore: store, reloadTrustedIssuers: reload, recordEvent } = dependencies

  function record(type: SecurityEventType, id: string, act: Act, changed?: string[]): void {
    recordEvent(withAct({ type, detail: { trustedIssuer: id, ...(changed && { changed }) } }, act))
  }

  return {
    async list(page) {
      return takePage(await store.readAll(), page, ({ createdAt, id }) => ({ at: createdAt, id }))
    },

    listAll: store.readAll,

    async find(id) {
      const issuers = await store.readAll()
      return found(
        issuers.find((issuer) => issuer.id === id),
        'trusted issuer',
      )
    },

    async create(input, act) {
      const created = await store.create(input)
      if (created === 'full') {
        throw new ManagementError('conflict', 'There are as many trusted issuers as there may be.')
      }
      const issuer = accepted(created)
      record('trusted_issuer.created', issuer.id, act)
      await reload()
      return issuer
    },

    async update(id, patch, act, check) {
      const { checked, changed } = found(await store.patch(id, patch, check), 'trusted issuer')
      const issuer = accepted(checked)
      if (changed) record('trusted_issuer.updated', id, act, Object.keys(patch))
      await reload()
      return issuer
    },

    async delete(id, act, check) {
      if (await store.delete(id, check)) record('trusted_issuer.deleted', id, act)
      // Also when nothing was there: this may repeat a call whose own reload failed.
      await reload()
    },
  }
}
