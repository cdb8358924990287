// Password hashing put together: the lanes for this machine, and what a verification has to cost.

import type { ServiceConfig } from '../config/service-config.ts'
import type { Database } from '../database/database.ts'
import type { ProcessGroup } from '../runtime/process-group.ts'
import { defaultHashingLanes, type HashingLanes, openHashingLanes } from '../users/hashing-lanes.ts'
import { openPasswordCosts, type PasswordCosts } from '../users/password-costs.ts'
import { openPasswordHasher, type PasswordHasher } from '../users/password-hasher.ts'
import { loadStoredPasswordCosts } from '../users/stored-password-costs.ts'
import type { Watches } from './open-watches.ts'

interface OpenedHasher {
  readonly hasher: PasswordHasher
  readonly lanes: Pick<HashingLanes, 'load'>
  readonly passwordCosts: PasswordCosts
}

interface HasherSurroundings {
  readonly group: Pick<ProcessGroup, 'size'>
  readonly watches: Pick<Watches, 'hashing'>
}

/** Rejects with DependencyUnavailable. */
export async function openHasher(
  config: Pick<ServiceConfig, 'argon2' | 'passwordPeppers' | 'threads'>,
  database: Database,
  { group, watches }: HasherSurroundings,
): Promise<OpenedHasher> {
  const { argon2: parameters, passwordPeppers: peppers, threads } = config
  const costs = openPasswordCosts(parameters, () => loadStoredPasswordCosts(database))
  await costs.reload()
  const limits = defaultHashingLanes(threads, group.size)
  const lanes = openHashingLanes({ ...limits, watchWait: watches.hashing })
  const hasher = openPasswordHasher({ parameters, lanes, costs, peppers })
  return { hasher, lanes, passwordCosts: costs }
}
