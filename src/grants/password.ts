// grant_type=password: a login, which starts a family (RFC 6749 §4.3; deprecated by RFC 9700 §2.4,
// so only for clients that list it). A user with a second factor gets no tokens here, but what the second
// step needs (mfa-otp.ts).

import type { Client } from '../clients/client.ts'
import { type LoginTarget, mintMfaToken, newMfaToken } from '../factors/mfa-token.ts'
import { BY_PASSWORD } from '../families/family.ts'
import { OAuthError } from '../oauth/oauth-error.ts'
import { type Parameters, requireParameter } from '../oauth/parameters.ts'
import type { UserRecord } from '../users/user.ts'
import {
  type CheckedPassword,
  defineGrant,
  type GrantContext,
  type GrantServices,
  type IssuedTokens,
} from './grant.ts'
import { grantAudience, grantScope, type RequestedTarget, readTarget } from './granted.ts'
import { checkScopeLeft, startSession } from './start-session.ts'

export const password = defineGrant({
  name: 'password',
  listedAs: 'password',
  loadClass: 'login',
  confidentialOnly: false,
  isDeprecated: true,
  parameters: ['username', 'password'],
  parse,
  issue,
})

/** What the second step takes, whichever of them a user has left. */
const MFA_TYPES = ['totp', 'recovery_code'] as const

interface PasswordRequest extends RequestedTarget {
  readonly username: string
  readonly password: string
}

function parse(form: Parameters<'username' | 'password' | 'scope'>): PasswordRequest {
  return {
    username: requireParameter(form, 'username'),
    password: requireParameter(form, 'password'),
    ...readTarget(form),
  }
}

/** Throws OAuthError `invalid_grant`, `mfa_required`, `invalid_scope`, `invalid_target` or 503. */
async function issue(
  request: PasswordRequest,
  context: GrantContext,
  services: GrantServices,
): Promise<IssuedTokens> {
  const { client } = context
  const target: LoginTarget = {
    scope: grantScope(client, request.scope),
    isScopeAsked: request.scope !== undefined,
    audience: grantAudience(client, services.defaultAudience, request.resources),
  }
  const { record, hasFactor } = await login(request, context, services)
  if (hasFactor) {
    checkScopeLeft(target, client, record)
    throw askForFactor(record, target, client, services)
  }
  if (client.requireFactor) {
    recordFailure('login_factor_missing', context, services, record)
    throw new OAuthError('login_factor_missing', { members: { mfa_types: [] } })
  }
  return await startSession({ record, amr: BY_PASSWORD, target }, context, services)
}

/** Said only to whoever has shown the right password. */
function askForFactor(
  { userId, epoch }: UserRecord,
  target: LoginTarget,
  { id: clientId }: Client,
  { rootSecrets, clock }: GrantServices,
): OAuthError {
  const token = newMfaToken({ userId, epoch, clientId, target }, clock())
  const mfaToken = mintMfaToken(token, rootSecrets)
  return new OAuthError('login_factor_required', {
    members: { mfa_token: mfaToken, mfa_types: MFA_TYPES },
  })
}

async function login(
  request: PasswordRequest,
  context: GrantContext,
  services: GrantServices,
): Promise<CheckedPassword> {
  const { username: identifier, password } = request
  const { source, callerSignal } = context
  try {
    return await services.login({ identifier, password, signal: callerSignal() }, source)
  } catch (error) {
    if (error instanceof OAuthError && error.code === 'invalid_grant') {
      recordFailure(error.reason, context, services)
    }
    throw error
  }
}

/** The identifier stays out: people type passwords into that field. */
function recordFailure(
  reason: string,
  { client, source }: GrantContext,
  { recordEvent }: GrantServices,
  record?: UserRecord,
): void {
  const about = record && { subject: record.userId }
  recordEvent({ type: 'login.failed', reason, clientId: client.id, ...about, ...source })
}
