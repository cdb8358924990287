// What routes and commands change anything through: one object a resource, put together on the
// stores.

import type { ClientTable } from '../clients/client-table.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import {
  type ClientManagementDependencies,
  openClientManagement,
} from '../management/client-management.ts'
import {
  type ConfirmationManagement,
  type ConfirmationManagementDependencies,
  openConfirmationManagement,
} from '../management/confirmation-management.ts'
import {
  type FactorManagementDependencies,
  openFactorManagement,
} from '../management/factor-management.ts'
import { openKeyManagement } from '../management/key-management.ts'
import {
  openPasswordManagement,
  type PasswordManagementDependencies,
} from '../management/password-management.ts'
import {
  openSessionManagement,
  type SessionManagementDependencies,
} from '../management/session-management.ts'
import {
  openTrustManagement,
  type TrustManagementDependencies,
} from '../management/trust-management.ts'
import {
  openUserManagement,
  type UserManagementDependencies,
} from '../management/user-management.ts'
import {
  openWebhookManagement,
  type WebhookManagementDependencies,
} from '../management/webhook-management.ts'
import { logEvent } from '../ops/log-events.ts'
import type { TrustedIssuerTable } from '../trust/trusted-issuer-table.ts'
import type { PasswordRules } from '../users/password-quality.ts'
import type { UserStore } from '../users/user-store.ts'
import type { Foundation } from './foundation.ts'
import type { Mail } from './open-mail.ts'

type UserParts = Omit<
  UserManagementDependencies &
    PasswordManagementDependencies &
    SessionManagementDependencies &
    FactorManagementDependencies,
  'passwordRules' | 'issuerName'
> & { readonly config: PasswordRules & { readonly issuer: string } }

export type UserManagements = ReturnType<typeof openUserManagements>

/** Accounts, their passwords, factors and sessions: what the command line has of it, too. */
export function openUserManagements(parts: UserParts) {
  const withRules = { ...parts, passwordRules: parts.config }
  return {
    users: openUserManagement(withRules),
    passwords: openPasswordManagement(withRules),
    factors: openFactorManagement({ ...parts, issuerName: new URL(parts.config.issuer).hostname }),
    sessions: openSessionManagement(parts),
  }
}

type ManagementParts = Omit<UserParts, 'findClient'> &
  Omit<ClientManagementDependencies, 'refreshClient'> &
  Omit<TrustManagementDependencies, 'reloadTrustedIssuers'> &
  WebhookManagementDependencies & {
    readonly clients: ClientTable
    readonly trustedIssuers: TrustedIssuerTable
    readonly keys: KeyRing
    readonly users: UserStore
    readonly mail: Mail
  } & Pick<Foundation, 'config' | 'clock' | 'logger'>

export type Management = ReturnType<typeof openManagement>

/** All of it. */
export function openManagement(parts: ManagementParts) {
  const { clients, keys } = parts
  return {
    ...openUserManagements({ ...parts, findClient: clients.find }),
    clients: openClientManagement({ ...parts, refreshClient: clients.refresh }),
    trust: openTrustManagement({ ...parts, reloadTrustedIssuers: parts.trustedIssuers.reload }),
    keys: openKeyManagement(keys, parts.config),
    webhooks: openWebhookManagement(parts),
    confirmations: openConfirmations({ ...parts, outbox: parts.mail.outbox }),
  }
}

type ConfirmationParts = Omit<
  ConfirmationManagementDependencies,
  'passwordRules' | 'rootSecrets' | 'onDropped'
> &
  Pick<Foundation, 'config' | 'logger'>

/** Undefined where no mail is sent. */
export function openConfirmations(parts: ConfirmationParts): ConfirmationManagement | undefined {
  const { config, logger } = parts
  if (!config.mail) return undefined
  return openConfirmationManagement({
    ...parts,
    passwordRules: config,
    rootSecrets: config.rootSecrets,
    onDropped: () => logEvent(logger, 'mail.dropped'),
  })
}
