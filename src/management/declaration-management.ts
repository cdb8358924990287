// What files that are applied say of clients, trusted issuers, webhooks and users: read, checked, and brought
// about one resource at a time. Every change is recorded as any other is.

import { randomBytes } from 'node:crypto'
import type {
  ClientDeclarations,
  ClientOutcome,
  ClientWish,
} from '../clients/client-declaration.ts'
import { type Act, withAct } from '../runtime/act.ts'
import type { RecordEvent, SecurityEvent, SecurityEventType } from '../runtime/security-event.ts'
import type {
  IssuerOutcome,
  IssuerWish,
  TrustedIssuerStore,
} from '../trust/trusted-issuer-store.ts'
import type { PasswordHasher } from '../users/password-hasher.ts'
import type { UserId } from '../users/user.ts'
import type { UserDeclarations, UserOutcome, UserWish } from '../users/user-declaration.ts'
import type {
  WebhookDeclarations,
  WebhookOutcome,
  WebhookWish,
} from '../webhooks/webhook-declaration.ts'
import { accepted, ManagementError } from './management-error.ts'
import { recordCommitted } from './record-committed.ts'

export interface DeclarationManagementDependencies {
  readonly clientDeclarations: ClientDeclarations
  readonly webhookDeclarations: WebhookDeclarations
  readonly userDeclarations: UserDeclarations
  readonly trustedIssuerStore: Pick<TrustedIssuerStore, 'readDeclared' | 'put'>
  readonly hasher: Pick<PasswordHasher, 'hash'>
  /** Both bring what has changed into force here; they reject with DependencyUnavailable. */
  readonly refreshClient: (id: string) => Promise<void>
  readonly reloadTrustedIssuers: () => Promise<void>
  readonly recordEvent: RecordEvent
}

/**
 * Every `put` makes the resource, or changes it as a whole to what is wished for; what is so already is
 * neither written nor recorded. Throws ManagementError `invalid` or `conflict`, or AlreadyTaken; rejects
 * with DependencyUnavailable.
 */
export interface DeclarationManagement {
  readonly clients: Omit<ClientDeclarations, 'put'>
  readonly webhooks: Omit<WebhookDeclarations, 'put'>
  readonly users: Omit<UserDeclarations, 'put' | 'retire'>
  readonly trustedIssuers: Pick<TrustedIssuerStore, 'readDeclared'>
  putClient(wish: ClientWish, act: Act): Promise<void>
  putTrustedIssuer(wish: IssuerWish, act: Act): Promise<void>
  putWebhook(wish: WebhookWish, act: Act): Promise<void>
  /**
   * A new one has a password that nobody knows: a login needs a new one first, or another grant.
   * ManagementError `unfinished` where the change stands but is not carried to the sessions yet.
   */
  putUser(wish: UserWish, act: Act): Promise<void>
  /** Disables a user whom a file has made, as `UserManagement.update` would. */
  retireUser(userId: UserId, act: Act): Promise<void>
}

export function openDeclarationManagement(
  dependencies: DeclarationManagementDependencies,
): DeclarationManagement {
  const { clientDeclarations, webhookDeclarations, userDeclarations } = dependencies
  const { trustedIssuerStore, recordEvent } = dependencies
  const recordBy = (act: Act) => (event: SecurityEvent) => recordEvent(withAct(event, act))
  const makeHash = openUnknownPassword(dependencies.hasher)

  return {
    clients: clientDeclarations,
    webhooks: webhookDeclarations,
    users: userDeclarations,
    trustedIssuers: trustedIssuerStore,

    async putClient(wish, act) {
      const outcome = accepted(await clientDeclarations.put(wish))
      for (const event of clientEvents(wish.id, outcome)) recordBy(act)(event)
      await dependencies.refreshClient(wish.id)
    },

    async putTrustedIssuer(wish, act) {
      const put = await trustedIssuerStore.put(wish)
      if (put === 'full') {
        throw new ManagementError('conflict', 'There are as many trusted issuers as there may be.')
      }
      const about = { trustedIssuer: wish.id }
      for (const event of changeEvents('trusted_issuer', about, accepted(put))) recordBy(act)(event)
      await dependencies.reloadTrustedIssuers()
    },

    async putWebhook(wish, act) {
      const outcome = accepted(await webhookDeclarations.put(wish))
      const about = { webhookId: wish.id }
      for (const event of changeEvents('webhook', about, outcome)) recordBy(act)(event)
      if (outcome.rotated) recordBy(act)({ type: 'webhook.secret_rotated', detail: about })
    },

    async putUser(wish, act) {
      const put = await recordCommitted<Awaited<ReturnType<UserDeclarations['put']>>>(
        (onCommitted) =>
          userDeclarations.put(wish, makeHash, (outcome) => {
            onCommitted(outcome.changed)
            recordBy(act)(userEvent(wish, outcome))
          }),
        () => {},
      )
      accepted(put)
    },

    async retireUser(userId, act) {
      await recordCommitted(
        (onCommitted) => userDeclarations.retire(userId, () => onCommitted(['status'])),
        (changed) => recordBy(act)({ type: 'user.disabled', subject: userId, detail: { changed } }),
      )
    },
  }
}

/** One hash for all of them: of 256 random bits that are forgotten at once. */
function openUnknownPassword({ hash }: Pick<PasswordHasher, 'hash'>): () => Promise<string> {
  let made: Promise<string> | undefined
  return () => {
    made ??= hash(randomBytes(32).toString('base64url')).catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}

function clientEvents(clientId: string, outcome: ClientOutcome): SecurityEvent[] {
  const { created, changed, addedSecretIds, removedSecretIds } = outcome
  const type = created ? 'client.created' : 'client.updated'
  const isChanged = created || changed.length > 0
  return [
    ...(isChanged ? [{ type, clientId, ...(!created && { detail: { changed } }) } as const] : []),
    ...removedSecretIds.map((secretId) => ({
      ...{ type: 'client.secret_removed' as const, clientId, detail: { secretId } },
    })),
    ...addedSecretIds.map((secretId) => ({
      ...{ type: 'client.secret_added' as const, clientId, detail: { secretId } },
    })),
  ]
}

function changeEvents(
  resource: 'trusted_issuer' | 'webhook',
  about: Readonly<Record<string, string>>,
  { created, changed }: IssuerOutcome | WebhookOutcome,
): SecurityEvent[] {
  if (created) return [{ type: `${resource}.created`, detail: about }]
  return changed.length === 0
    ? []
    : [{ type: `${resource}.updated`, detail: { ...about, changed } }]
}

function userEvent(
  { settings }: UserWish,
  { userId, created, changed }: UserOutcome,
): SecurityEvent {
  if (created) return { type: 'user.created', subject: userId }
  const isDisabled = settings.status === 'disabled' && changed.includes('status')
  const type: SecurityEventType = isDisabled ? 'user.disabled' : 'user.updated'
  return { type, subject: userId, detail: { changed } }
}
