// The kinds of resources that there are, on what changes them.

import type { ClientManagement } from '../management/client-management.ts'
import type { DeclarationManagement } from '../management/declaration-management.ts'
import type { TrustManagement } from '../management/trust-management.ts'
import type { WebhookManagement } from '../management/webhook-management.ts'
import { RESOURCE_KINDS, type ResourceKind } from './declared-resource.ts'
import { openClientKind } from './kinds/client-kind.ts'
import { openTrustedIssuerKind } from './kinds/trusted-issuer-kind.ts'
import { openUserKind } from './kinds/user-kind.ts'
import { openWebhookKind } from './kinds/webhook-kind.ts'
import type { KindOfResource } from './planned-change.ts'

export interface KindDependencies {
  readonly declarations: DeclarationManagement
  readonly clients: Pick<ClientManagement, 'delete'>
  readonly trust: Pick<TrustManagement, 'delete'>
  readonly webhooks: Pick<WebhookManagement, 'delete'>
}

/** In the order of RESOURCE_KINDS. */
export function openKinds(dependencies: KindDependencies): readonly KindOfResource[] {
  const { declarations, clients, trust, webhooks } = dependencies
  const kinds: Readonly<Record<ResourceKind, KindOfResource>> = {
    TrustedIssuer: openTrustedIssuerKind(declarations, trust),
    Client: openClientKind(declarations, clients),
    User: openUserKind(declarations),
    Webhook: openWebhookKind(declarations, webhooks),
  }
  return RESOURCE_KINDS.map((kind) => kinds[kind])
}
