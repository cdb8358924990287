// The second step of a login: the token that the password grant gave, and a code that is good once. A
// grant of our own (RFC 6749 §4.5), for every client that may use the password grant.

import { authenticateMfaToken, type LoginTarget, type MfaToken } from '../factors/mfa-token.ts'
import type { ProvedLogin } from '../factors/prove-factor.ts'
import type { Proof } from '../factors/second-step-store.ts'
import { BY_PASSWORD_AND_CODE } from '../families/family.ts'
import { OAuthError } from '../oauth/oauth-error.ts'
import { type Parameters, requireParameter } from '../oauth/parameters.ts'
import { defineGrant, type GrantContext, type GrantServices, type IssuedTokens } from './grant.ts'
import { addressableAudiences } from './granted.ts'
import { password } from './password.ts'
import { startSession } from './start-session.ts'

export const mfaOtp = defineGrant({
  name: 'urn:lineage:params:oauth:grant-type:mfa-otp',
  listedAs: password.name,
  loadClass: 'login',
  confidentialOnly: false,
  isDeprecated: true,
  parameters: ['mfa_token', 'otp', 'recovery_code'],
  parse,
  issue,
})

interface SecondStepRequest {
  readonly mfaToken: string
  readonly proof: Proof
}

function parse(form: Parameters<'mfa_token' | 'otp' | 'recovery_code'>): SecondStepRequest {
  const mfaToken = requireParameter(form, 'mfa_token')
  const [otp, recoveryCode] = [form.get('otp'), form.get('recovery_code')]
  if (otp !== undefined && recoveryCode === undefined) return { mfaToken, proof: { otp } }
  if (recoveryCode !== undefined && otp === undefined) return { mfaToken, proof: { recoveryCode } }
  throw new OAuthError('parameter_not_one_of', { choice: 'They are otp and recovery_code.' })
}

/** Throws OAuthError `invalid_grant`, `invalid_scope`, `invalid_target`, 429 or 503. */
async function issue(
  { mfaToken, proof }: SecondStepRequest,
  context: GrantContext,
  services: GrantServices,
): Promise<IssuedTokens> {
  const { client, source } = context
  const token = authenticateMfaToken(mfaToken, services.rootSecrets)
  const proved = await prove(token, proof, context, services)
  if (proved.codesLeft !== undefined) {
    services.recordEvent({
      type: 'user.factor_used_recovery',
      subject: proved.record.userId,
      clientId: client.id,
      detail: { left: proved.codesLeft },
      ...source,
    })
  }
  const addressable = addressableAudiences(client, services.defaultAudience)
  const target = narrowAudience(proved.target, addressable)
  return await startSession(
    { record: proved.record, amr: BY_PASSWORD_AND_CODE, target },
    context,
    services,
  )
}

/** What the client has lost since the first step is not granted; scopes are narrowed with every token. */
function narrowAudience(target: LoginTarget, addressable: readonly string[]): LoginTarget {
  const token = target.audience.token.filter((audience) => addressable.includes(audience))
  if (token.length === 0) throw new OAuthError('resource_not_allowed')
  return { ...target, audience: { ...target.audience, token } }
}

async function prove(
  token: MfaToken | undefined,
  proof: Proof,
  { client, source }: GrantContext,
  { proveFactor, recordEvent }: GrantServices,
): Promise<ProvedLogin & Pick<MfaToken, 'target'>> {
  try {
    if (!token) throw new OAuthError('mfa_token_malformed')
    const attempt = { token, proof, clientId: client.id, ...source }
    return { ...(await proveFactor(attempt)), target: token.target }
  } catch (error) {
    if (error instanceof OAuthError && error.code === 'invalid_grant') {
      const { reason } = error
      const about = token && { subject: token.userId }
      recordEvent({ type: 'login.failed', reason, clientId: client.id, ...about, ...source })
    }
    throw error
  }
}
