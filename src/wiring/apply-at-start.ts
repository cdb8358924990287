// The files of LINEAGE_APPLY_FILE, applied when everything is open and nothing listens yet. Who starts at the
// same time waits, and finds nothing left to do.

import type { ClientTable } from '../clients/client-table.ts'
import type { ApplyReport } from '../declarative/apply-files.ts'
import { DeclarationRefused, formatDeclarationProblem } from '../declarative/declaration-problem.ts'
import type { SecretEnvironment } from '../declarative/read-secret.ts'
import { logEvent } from '../ops/log-events.ts'
import { StartError } from '../runtime/start-error.ts'
import type { TrustedIssuerTable } from '../trust/trusted-issuer-table.ts'
import type { PasswordHasher } from '../users/password-hasher.ts'
import type { Foundation } from './foundation.ts'
import { openDeclarations } from './open-declarations.ts'
import type { OpenedFamilyStore } from './open-family-store.ts'
import type { Management } from './open-management.ts'
import { openTrustedIssuers } from './open-stores.ts'

const SETTING = 'LINEAGE_APPLY_FILE'

/** What is open by then. */
export interface StartedParts {
  readonly management: Management
  readonly clients: Pick<ClientTable, 'refresh' | 'reload'>
  readonly trustedIssuers: Pick<TrustedIssuerTable, 'reload'>
  readonly hasher: PasswordHasher
}

/**
 * Prunes nothing. Throws StartError with one line for a wrong file, and where a change is refused;
 * rejects with DependencyUnavailable.
 */
export async function applyAtStart(
  foundation: Foundation,
  opened: OpenedFamilyStore,
  service: StartedParts,
  env: SecretEnvironment,
): Promise<void> {
  const { config, database, logger, clock } = foundation
  const { management, clients, trustedIssuers } = service
  // Whoever applies nothing loads neither a parser nor a validator.
  const { readResources } = await import('../declarative/read-resources.ts')
  const { applyFiles } = await import('../declarative/apply-files.ts')
  const kinds = openDeclarations({
    ...foundation,
    hasher: service.hasher,
    clients: management.clients,
    trust: management.trust,
    opened,
    trustedIssuerStore: openTrustedIssuers(database, config, clock),
    refreshClient: clients.refresh,
    reloadTrustedIssuers: trustedIssuers.reload,
  })
  const onWait = (sentence: string) =>
    logEvent(logger, 'dependency.warning', {
      dependency: 'postgresql',
      detail: `the start ${sentence}`,
    })
  try {
    const resources = await readResources({ files: config.applyFiles })
    const report = await applyFiles({ pool: database.pool, kinds, env }, { resources, onWait })
    logEvent(logger, 'declaration.applied', {
      changed: report.outcomes.length,
      unchanged: report.plan.unchanged,
    })
    refuseFailures(report)
    // Another instance may have made what this one has found, after it had read its tables.
    await clients.reload()
    await trustedIssuers.reload()
  } catch (error) {
    if (!(error instanceof DeclarationRefused)) throw error
    const [first, ...others] = error.problems
    const more =
      others.length === 0 ? '' : ` (\`lineage apply --dry-run\` tells ${others.length} more)`
    const told = first ? formatDeclarationProblem(first) : error.message
    throw new StartError(`${SETTING}: ${told}${more}`, { cause: error })
  }
}

function refuseFailures({ outcomes }: ApplyReport): void {
  const [first, ...others] = outcomes.filter(({ outcome }) => outcome === 'failed')
  if (!first) return
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  throw new StartError(`${SETTING}: ${first.kind} ${first.name}: ${first.detail}${more}`)
}
