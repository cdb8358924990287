// POST /token: the form, the client, the grant, the answer.

import { type Holder, issueAccessToken, type TokenGrant } from './access-token.ts'
import { authenticateClient } from './client-auth.ts'
import { bindToCertificate } from './client-certificate.ts'
import { checkProof } from './dpop.ts'
import { type Form, readForm } from './form.ts'
import { logIn } from './password-grant.ts'
import { refreshFamily } from './refresh-grant.ts'
import { grantResources, grantScope } from './scope.ts'
import type { SigningKey } from './signing-keys.ts'
import {
  type Client,
  findRefreshToken,
  isPublic,
  openFamily,
  type State,
  type User,
} from './state.ts'
import { EXCHANGE_GRANT, exchangeToken } from './token-exchange.ts'
import { type Call, invalidRequest, Refusal, type Reply } from './wire.ts'

export const GRANTS = ['password', 'refresh_token', 'client_credentials', EXCHANGE_GRANT]

interface Issued extends TokenGrant {
  readonly refreshToken?: string
}

export async function handleToken(state: State, key: SigningKey, call: Call): Promise<Reply> {
  const { has } = state
  const form = readForm(call, has)
  const grantType = readGrantType(state, form)
  if (has('refresh-consumed-before-authentication')) consumeEarly(state, form)
  const client = await authenticateClient(state, call, form)
  const holder = {
    jkt: await checkProof(state, call),
    x5t: bindToCertificate(state, call, client),
  }
  const mayUse = client.grants.includes(grantType) || has('every-client-every-grant')
  if (!mayUse) throw new Refusal('unauthorized_client', 'the client may not use this grant')
  const issued = await runGrant(state, key, form, client, grantType, holder)
  const answer = await issueAccessToken(state, key, issued)
  const { refreshToken } = issued
  const body = { ...answer, ...(refreshToken ? { refresh_token: refreshToken } : {}) }
  return {
    status: has('created-instead-of-ok') ? 201 : 200,
    ...(has('answer-as-text') ? { headers: { 'Content-Type': 'text/html' } } : {}),
    body: has('answer-nested') ? { data: body } : body,
  }
}

function readGrantType({ has }: State, form: Form): string {
  const grantType = form.get('grant_type')
  if (grantType !== undefined && GRANTS.includes(grantType)) return grantType
  if (grantType === undefined && !has('missing-grant-type-unsupported')) {
    throw invalidRequest('grant_type is missing')
  }
  if (has('unknown-grant-invalid-request')) throw invalidRequest('grant_type is not known')
  throw new Refusal('unsupported_grant_type', 'grant_type is not known')
}

function consumeEarly(state: State, form: Form): void {
  const found = findRefreshToken(state, form.get('refresh_token') ?? '')
  if (found && found.generation === found.family.generation) {
    found.family.generation += 2
  }
}

async function runGrant(
  state: State,
  key: SigningKey,
  form: Form,
  client: Client,
  grantType: string,
  holder: Holder,
): Promise<Issued> {
  const { has } = state
  if (grantType === 'refresh_token') {
    const step = refreshFamily(state, form, client, holder)
    return { ...step, ...holder, client }
  }
  if (grantType === EXCHANGE_GRANT) return await exchangeToken(state, key, form, client, holder)
  const user = grantType === 'password' ? await logIn(state, form) : undefined
  const scope = grantScope(form.get('scope'), client.scopes, has)
  const resources = grantResources(state, form)
  const grant = { client, scope, resources, ...holder }
  const needsFamily = user ?? (has('refresh-token-for-client') ? NOBODY : undefined)
  if (!needsFamily) return grant
  const family = openFamily(state, {
    client,
    user: needsFamily,
    scope,
    resources,
    jkt: isPublic(client) ? holder.jkt : undefined,
    x5t: isPublic(client) ? holder.x5t : undefined,
  })
  return { ...grant, family, refreshToken: family.tokens[0] ?? '' }
}

const NOBODY: User = { id: 'nobody', username: '', password: '', email: '', state: 'active' }
