// What routes and commands change anything through: one object a resource, put together on the
// stores.

import type { ClientTable } from '../clients/client-table.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import {
  type ClientManagement,
  type ClientManagementDependencies,
  openClientManagement,
} from '../management/client-management.ts'
import { type KeyManagement, openKeyManagement } from '../management/key-management.ts'
import {
  openPasswordManagement,
  type PasswordManagement,
  type PasswordManagementDependencies,
} from '../management/password-management.ts'
import {
  openSessionManagement,
  type SessionManagement,
  type SessionManagementDependencies,
} from '../management/session-management.ts'
import {
  openUserManagement,
  type UserManagement,
  type UserManagementDependencies,
} from '../management/user-management.ts'
import {
  openWebhookManagement,
  type WebhookManagement,
  type WebhookManagementDependencies,
} from '../management/webhook-management.ts'
import type { PasswordLimits } from '../users/password-policy.ts'

export interface Management {
  readonly users: UserManagement
  readonly passwords: PasswordManagement
  readonly sessions: SessionManagement
  readonly clients: ClientManagement
  readonly keys: KeyManagement
  readonly webhooks: WebhookManagement
}

export type ManagementParts = Omit<
  UserManagementDependencies &
    PasswordManagementDependencies &
    SessionManagementDependencies &
    ClientManagementDependencies &
    WebhookManagementDependencies,
  'findClient' | 'refreshClient' | 'passwordLimits'
> & {
  readonly config: PasswordLimits
  readonly clients: ClientTable
  readonly keys: KeyRing
}

export function openManagement(parts: ManagementParts): Management {
  const { clients, keys, config } = parts
  const withLimits = { ...parts, passwordLimits: config }
  return {
    users: openUserManagement(withLimits),
    passwords: openPasswordManagement(withLimits),
    sessions: openSessionManagement({ ...parts, findClient: clients.find }),
    clients: openClientManagement({ ...parts, refreshClient: clients.refresh }),
    keys: openKeyManagement(keys),
    webhooks: openWebhookManagement(parts),
  }
}
