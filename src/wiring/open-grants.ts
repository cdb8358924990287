// What grants work with, put together of the parts of the service.

import { proveFactor } from '../factors/prove-factor.ts'
import { openSecondStepStore } from '../factors/second-step-store.ts'
import type { GrantServices } from '../grants/grant.ts'
import type { TokenChecker } from '../tokens/check-access-token.ts'
import { authenticateUser, type LoginDependencies } from '../users/authenticate-user.ts'
import type { Foundation } from './foundation.ts'

export interface GrantParts
  extends Pick<
      GrantServices,
      'families' | 'tokens' | 'rootSecrets' | 'clock' | 'recordEvent' | 'trust' | 'users'
    >,
    Pick<LoginDependencies, 'hasher' | 'throttle'> {
  readonly users: GrantServices['users'] & LoginDependencies['users']
  readonly checker: TokenChecker
}

export function openGrants(
  { config, database, figures }: Pick<Foundation, 'config' | 'database' | 'figures'>,
  parts: GrantParts,
): GrantServices {
  const { users, hasher, throttle, rootSecrets, clock, checker } = parts
  const { issuer, defaultAudience = issuer } = config
  const secondSteps = openSecondStepStore({ pool: database.pool, rootSecrets })
  const login = { users, hasher, passwordLimits: config, throttle }
  return {
    ...parts,
    login: (credentials, { ip, requestId }) =>
      authenticateUser({ ...credentials, ip, requestId }, login),
    checkToken: checker.check,
    proveFactor: (attempt) => proveFactor(attempt, { users, secondSteps, throttle, clock }),
    onRefresh: figures.refreshes.add,
    issuer,
    defaultAudience,
  }
}
