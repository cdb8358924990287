// The second step of a login: that whoever showed the right password also has a code. One answer for
// every refusal, and guessing is bounded by the token of the first step and by the throttle. Starts no
// family.

import type { ClientId } from '../clients/client.ts'
import { OAuthError } from '../oauth/oauth-error.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Throttle } from '../throttle/throttle.ts'
import { loginAccountsOf } from '../users/authenticate-user.ts'
import type { User, UserRecord } from '../users/user.ts'
import type { UserCredentials } from '../users/user-row.ts'
import type { UserStore } from '../users/user-store.ts'
import type { MfaToken } from './mfa-token.ts'
import type { Proof, SecondStepStore } from './second-step-store.ts'

export interface SecondStepAttempt {
  /** Authentic, but perhaps expired or used. */
  readonly token: MfaToken
  readonly proof: Proof
  /** Who sends it; a token is good at one client only. */
  readonly clientId: ClientId
  readonly ip: string
  readonly requestId?: string | undefined
}

export interface ProveDependencies {
  readonly users: Pick<UserStore, 'findCredentials'>
  readonly secondSteps: SecondStepStore
  readonly throttle: Throttle
  readonly clock: Clock
}

export interface ProvedLogin {
  /** As it was just before the code was used up: a family is created only if it still holds. */
  readonly record: UserRecord
  /** How many recovery codes are left, where one was used. */
  readonly codesLeft: number | undefined
}

/**
 * Throws OAuthError `mfa_…` (`invalid_grant`, one answer for all of them) or `throttled`;
 * DependencyUnavailable when PostgreSQL is away.
 */
export async function proveFactor(
  { token, proof, clientId, ip, requestId }: SecondStepAttempt,
  { users, secondSteps, throttle, clock }: ProveDependencies,
): Promise<ProvedLogin> {
  // Before anything is counted: whoever else presents the token uses up nothing.
  if (token.clientId !== clientId) throw new OAuthError('mfa_token_of_other_client')
  if (clock() >= token.expiresAtMs) throw new OAuthError('mfa_token_expired')
  const guess = { kind: 'one_time_code', account: token.userId, ip, requestId } as const
  await throttle.check(guess)
  const found = await users.findCredentials(token.userId)
  if (!found || !holds(found, token)) throw new OAuthError('mfa_user_moved')
  const proved = await secondSteps.prove(token, proof, clock())
  if (proved.outcome !== 'proved') {
    if (GUESSES.includes(proved.outcome)) await throttle.failed(guess)
    throw new OAuthError(proved.outcome)
  }
  await throttle.succeeded(guess)
  await makeKnown(found.user, ip, throttle)
  return { record: found.record, codesLeft: proved.codesLeft }
}

/** Whether the user is the one who showed the password: not disabled, logged out or changed since. */
function holds({ user, record, hasFactor }: UserCredentials, { epoch }: MfaToken): boolean {
  return user.status === 'active' && record.epoch === epoch && hasFactor
}

/** The outcomes of a wrong code. A right one that was used before is somebody's double click. */
const GUESSES: readonly string[] = ['mfa_code_wrong', 'mfa_recovery_code_wrong']

/** Now the login as a whole has succeeded, and its source is known to the account. */
async function makeKnown(user: User, ip: string, throttle: Throttle): Promise<void> {
  const [account = '', ...aliases] = loginAccountsOf(user)
  try {
    await throttle.succeeded({ kind: 'login', account, ip }, aliases)
  } catch (error) {
    // The first step has told whether the password is right: that strangers have used up its budget
    // since then takes nothing back, and the code is used up.
    if (!(error instanceof OAuthError && error.reason === 'throttled')) throw error
  }
}
