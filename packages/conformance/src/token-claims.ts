// What an access token says, whether it is a JWT or has to be asked about, and logins for the checks
// that compare scopes.

import { NotApplicable } from './conformance-check.ts'
import { scopeWords } from './expect-answer.ts'
import { readJwt } from './issued-tokens.ts'
import type { TestedService, Tokens } from './tested-service.ts'

export type Claims = Readonly<Record<string, unknown>>

/** Throws NotApplicable when it is no JWT and nobody can be asked, or the answer is inactive. */
export async function readClaims(service: TestedService, token: string): Promise<Claims> {
  const jwt = readJwt(token)
  if (jwt) return jwt.claims
  const { json } = await service.introspect(token)
  if (json.active !== true) throw new NotApplicable('nobody can be asked what the token says')
  return json
}

/** A login with two scopes or more, in words. Throws NotApplicable when there is none. */
export async function logInWide(
  service: TestedService,
): Promise<{ tokens: Tokens; scopes: readonly string[] }> {
  const tokens = await service.logIn(undefined, { scope: service.credentials.wideScope })
  const scopes = scopeWords(tokens.answer.json.scope)
  if (scopes.length < 2) throw new NotApplicable('a login gives one scope at the most')
  return { tokens, scopes }
}

/**
 * The scopes that a client gets for itself: two or more where some request gives as many. Throws
 * NotApplicable when there is none.
 */
export async function findClientScopes(service: TestedService): Promise<readonly string[]> {
  const { wideScope, scope } = service.credentials
  for (const asked of [wideScope, undefined, scope]) {
    const { json } = await service.issueToClient({ scope: asked })
    const scopes = scopeWords(json.scope)
    if (scopes.length > 1 || (asked === scope && scopes.length > 0)) return scopes
  }
  throw new NotApplicable('the confidential client gets no scope')
}
