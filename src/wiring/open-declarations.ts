// What files that are applied change anything through, put together in one way for a start and for the
// command line.

import { openClientDeclarations } from '../clients/client-declaration.ts'
import type { ServiceConfig } from '../config/service-config.ts'
import type { Database } from '../database/database.ts'
import { openKinds } from '../declarative/open-kinds.ts'
import type { KindOfResource } from '../declarative/planned-change.ts'
import type { ClientManagement } from '../management/client-management.ts'
import {
  type DeclarationManagementDependencies,
  openDeclarationManagement,
} from '../management/declaration-management.ts'
import type { TrustManagement } from '../management/trust-management.ts'
import { openWebhookManagement } from '../management/webhook-management.ts'
import type { Clock } from '../runtime/clock.ts'
import { openUserDeclarations } from '../users/user-declaration.ts'
import { openWebhookDeclarations } from '../webhooks/webhook-declaration.ts'
import type { Audit } from './open-audit.ts'
import type { OpenedFamilyStore } from './open-family-store.ts'
import { clientDependencies, userDependencies } from './open-stores.ts'

type Handed = Pick<
  DeclarationManagementDependencies,
  'trustedIssuerStore' | 'hasher' | 'refreshClient' | 'reloadTrustedIssuers'
>

export interface DeclarationParts extends Handed {
  readonly config: ServiceConfig
  readonly database: Database
  readonly clock: Clock
  /** Never behind `clock` of any instance. */
  readonly latest: Clock
  readonly audit: Audit
  readonly clients: ClientManagement
  readonly trust: TrustManagement
  readonly opened: OpenedFamilyStore
}

export function openDeclarations(parts: DeclarationParts): readonly KindOfResource[] {
  const { config, database, clock, latest, audit, opened } = parts
  const { rootSecrets } = config
  const declarations = openDeclarationManagement({
    ...parts,
    recordEvent: audit.recordEvent,
    clientDeclarations: openClientDeclarations({
      ...clientDependencies(database, config, latest),
      database,
    }),
    webhookDeclarations: openWebhookDeclarations({ database, rootSecrets, clock }),
    userDeclarations: openUserDeclarations({ ...userDependencies(parts, opened), database }),
  })
  const webhooks = openWebhookManagement(audit)
  return openKinds({ ...parts, declarations, webhooks })
}
