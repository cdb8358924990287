// C51: scopes across refreshes (RFC 6749 §6).

import { expect } from '../conformance-check.ts'
import { expectError, expectSuccess, hasSameScope } from '../expect-answer.ts'
import type { Answer } from '../http-exchange.ts'
import { type TestedService, type Tokens, textOf } from '../tested-service.ts'
import { logInWide, readClaims } from '../token-claims.ts'

export async function checkRefreshScopes(service: TestedService): Promise<void> {
  const { tokens, scopes } = await logInWide(service)
  const [narrow = ''] = scopes
  const wider = await service.refresh(tokens, { scope: `${scopes.join(' ')} conformance:unknown` })
  expectError(wider, 'invalid_scope', 'a refresh with a wider scope')

  const narrowed = await service.refresh(tokens, { scope: narrow })
  expectSuccess(narrowed, 'a refresh with a narrower scope')
  expect(await hasGranted(service, narrowed, narrow), 'a narrower scope is not what was granted')

  const whole = await service.refresh(nextOf(tokens, narrowed))
  expectSuccess(whole, 'a refresh without scope after a narrower one')
  const all = scopes.join(' ')
  expect(await hasGranted(service, whole, all), 'a scope that was narrowed once is lost')

  const asked = await service.refresh(nextOf(nextOf(tokens, narrowed), whole), { scope: all })
  expectSuccess(asked, 'a refresh with the whole scope after a narrower one')
  expect(await hasGranted(service, asked, all), 'the whole scope is not granted any more')
}

/** With the refresh token that came with an answer, or the old one where none did. */
function nextOf(tokens: Tokens, { json }: Answer): Tokens {
  return { ...tokens, refreshToken: textOf(json.refresh_token) ?? tokens.refreshToken }
}

/** In the answer, or where that is silent in the token. */
async function hasGranted(
  service: TestedService,
  { json }: Answer,
  scope: string,
): Promise<boolean> {
  const claims = await readClaims(service, textOf(json.access_token) ?? '')
  return (
    hasSameScope(json.scope ?? claims.scope, scope) && hasSameScope(claims.scope ?? scope, scope)
  )
}
