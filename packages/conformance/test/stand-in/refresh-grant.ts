// The refresh grant: one step of a family, the retry of its last step, and the end of it on reuse.

import { decodeJwt } from 'jose'
import type { Holder } from './access-token.ts'
import type { Form } from './form.ts'
import { grantResources, grantScope } from './scope.ts'
import {
  addGeneration,
  type Client,
  type Family,
  findRefreshToken,
  isLive,
  type State,
} from './state.ts'
import { invalidGrant, Refusal } from './wire.ts'

/** How long the last token may come again, for a client that lost the answer. */
const RETRY_MS = 30_000

export interface RefreshStep {
  readonly family: Family
  readonly scope: readonly string[]
  readonly resources: readonly string[]
  readonly refreshToken: string
}

/** Throws invalid_grant for every token that is not this client's, now. */
export function refreshFamily(
  state: State,
  form: Form,
  client: Client,
  { jkt, x5t }: Holder,
): RefreshStep {
  const { has } = state
  const token = form.need('refresh_token')
  const found = findRefreshToken(state, token) ?? findFamilyOfAccess(state, token)
  if (!found) throw refusal(state)
  const { family, generation } = found
  if (family.client.id !== client.id) {
    if (has('foreign-refresh-ends-family')) family.ended = true
    if (!has('foreign-refresh-taken')) throw refusal(state)
  }
  if (!isLive(family) && !has('ended-family-refreshes')) throw refusal(state)
  if (family.jkt !== undefined && family.jkt !== jkt && !has('dpop-binding-dropped')) {
    throw refusal(state)
  }
  if (family.x5t !== undefined && family.x5t !== x5t && !isBindingLost(state, x5t)) {
    throw refusal(state)
  }
  const live = has('narrowed-scope-sticks') ? family.scopeNow : family.scope
  const allowed = has('refresh-forgets-login-scope') ? client.scopes : live
  const scope = grantScope(form.get('scope'), allowed, has, has('refresh-widens'))
  const granted = has('refresh-widens-resources') ? undefined : family.resources
  const resources = grantResources(state, form, granted)
  const refreshToken = advance(state, family, generation, token)
  family.scopeNow = scope
  return { family, scope, resources, refreshToken }
}

/** Whether another certificate, or none, refreshes what is bound to one. */
function isBindingLost({ has }: State, x5t: string | undefined): boolean {
  return x5t === undefined
    ? has('certificate-binding-needs-none')
    : has('certificate-binding-takes-others')
}

/** A server that asks which grant a token belongs to, and not which kind of token it is. */
function findFamilyOfAccess({ has, families }: State, token: string) {
  if (!has('access-token-refreshes') || !token.includes('.')) return undefined
  const family = families.get(String(decodeJwt(token).sid))
  return family && { family, generation: family.generation }
}

function refusal({ has }: State): Refusal {
  if (has('refresh-refused-with-401')) return new Refusal('invalid_grant', 'not valid', 401)
  if (has('refresh-refused-as-invalid-request')) {
    return new Refusal('invalid_request', 'the refresh token is not valid')
  }
  return invalidGrant()
}

/** The refresh token that the family goes on with. */
function advance(state: State, family: Family, generation: number, token: string): string {
  const { has } = state
  if (has('no-rotation')) return token
  if (generation === family.generation) return addGeneration(state, family)
  const isLast = generation === family.generation - 1
  const isRetry = isLast && Date.now() - family.rotatedAtMs < RETRY_MS
  if (isRetry && has('retry-forks')) return forkGeneration(state, family)
  if (isRetry && !has('retry-refused')) return family.tokens[family.generation] ?? token
  if (has('reuse-taken')) return addGeneration(state, family)
  if (has('reuse-forgotten')) throw refusal(state)
  if (has('reuse-keeps-access-tokens')) dropRefreshTokens(state, family)
  else family.ended = true
  throw refusal(state)
}

/** All that RFC 9700 §4.14.2 asks for, and not what OAuth 2.1 does. */
function dropRefreshTokens({ refreshTokens }: State, { tokens }: Family): void {
  for (const token of tokens) refreshTokens.delete(token)
}

/** A second live successor of one token: what a read before the write makes of parallel calls. */
function forkGeneration(state: State, family: Family): string {
  const { generation } = family
  const token = addGeneration(state, family)
  state.refreshTokens.set(token, { family, generation })
  family.generation = generation
  return token
}
