// Token exchange (RFC 8693): a live access token for another one, never for more.

import { checkAccessToken, type Holder, type TokenGrant } from './access-token.ts'
import type { Form } from './form.ts'
import { grantResources, grantScope } from './scope.ts'
import { readJwt, type SigningKey } from './signing-keys.ts'
import type { Client, State } from './state.ts'
import { invalidRequest } from './wire.ts'

export const EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token'

/** Throws invalid_request for a subject or an actor whose token is not good (RFC 8693 §2.2.2). */
export async function exchangeToken(
  state: State,
  key: SigningKey,
  form: Form,
  client: Client,
  holder: Holder,
): Promise<TokenGrant> {
  const { has, families } = state
  const subject = await readToken(state, key, form, 'subject_token')
  if (!subject) throw invalidRequest('the subject_token is not valid')
  const actor = form.get('actor_token') && (await readToken(state, key, form, 'actor_token'))
  if (form.get('actor_token') && !actor) throw invalidRequest('the actor_token is not valid')
  const family = subject.sid === undefined ? undefined : families.get(subject.sid)
  const allowed = has('exchange-widens') ? client.scopes : (subject.scope ?? '').split(' ')
  return {
    client,
    scope: grantScope(form.get('scope'), allowed, has),
    resources: grantResources(state, form, [subject.aud].flat()),
    ...holder,
    issuedTokenType: has('issued-token-type-missing') ? undefined : ACCESS_TOKEN_TYPE,
    actor: actor && !has('actor-not-named') ? actor.sub : undefined,
    ...(family ? { family } : {}),
  }
}

async function readToken(state: State, key: SigningKey, form: Form, name: string) {
  const type = form.need(`${name}_type`)
  if (type !== ACCESS_TOKEN_TYPE) throw invalidRequest(`the ${name}_type is not known`)
  const token = form.need(name)
  const live = await checkAccessToken(state, key, token)
  if (live || !state.has('revoked-token-exchanged')) return live
  return (await readJwt(key, token, state.has)) as typeof live
}
