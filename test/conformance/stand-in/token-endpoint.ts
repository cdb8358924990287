// POST /token: the form, the client, the grant, the answer.

import { issueAccessToken, type TokenGrant } from './access-token.ts'
import { authenticateClient, throttled } from './client-auth.ts'
import { checkProof } from './dpop.ts'
import { type Form, readForm } from './form.ts'
import { refreshFamily } from './refresh-grant.ts'
import { grantResources, grantScope } from './scope.ts'
import type { SigningKey } from './signing-keys.ts'
import {
  type Client,
  countFailure,
  findRefreshToken,
  isPublic,
  isThrottled,
  openFamily,
  type State,
  type User,
} from './state.ts'
import { type Call, invalidGrant, invalidRequest, Refusal, type Reply } from './wire.ts'

const PASSWORD_MAX = 256
export const GRANTS = ['password', 'refresh_token', 'client_credentials']

interface Issued extends TokenGrant {
  readonly refreshToken?: string
}

export async function handleToken(state: State, key: SigningKey, call: Call): Promise<Reply> {
  const { has } = state
  const form = readForm(call, has)
  const grantType = readGrantType(state, form)
  if (has('refresh-consumed-before-authentication')) consumeEarly(state, form)
  const client = await authenticateClient(state, call, form)
  const jkt = await checkProof(state, call)
  const mayUse = client.grants.includes(grantType) || has('every-client-every-grant')
  if (!mayUse) throw new Refusal('unauthorized_client', 'the client may not use this grant')
  const issued = runGrant(state, form, client, grantType, jkt)
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

function runGrant(
  state: State,
  form: Form,
  client: Client,
  grantType: string,
  jkt: string | undefined,
): Issued {
  const { has } = state
  if (grantType === 'refresh_token') {
    const step = refreshFamily(state, form, client, jkt)
    return { ...step, client, jkt }
  }
  const user = grantType === 'password' ? logIn(state, form) : undefined
  const scope = grantScope(form.get('scope'), client.scopes, has)
  const resources = grantResources(state, form)
  const grant = { client, scope, resources, jkt }
  const needsFamily = user ?? (has('refresh-token-for-client') ? NOBODY : undefined)
  if (!needsFamily) return grant
  const family = openFamily(state, {
    client,
    user: needsFamily,
    scope,
    resources,
    jkt: isPublic(client) ? jkt : undefined,
  })
  return { ...grant, family, refreshToken: family.tokens[0] ?? '' }
}

const NOBODY: User = { id: 'nobody', username: '', password: '', email: '', state: 'active' }

function logIn(state: State, form: Form): User {
  const { has, users } = state
  const [username, password] = readLogin(state, form)
  const key = `user ${username}`
  if (isThrottled(state, key) && !has('guessing-not-throttled')) throw throttled(state)
  const user = users.find((one) => one.username === username)
  if (user && isPassword(state, user, password) && mayLogIn(state, user)) return user
  countFailure(state, key)
  if (has('login-refused-with-401')) throw new Refusal('invalid_grant', 'not valid', 401)
  if (has('user-enumeration')) {
    throw new Refusal('invalid_grant', user ? 'wrong password' : 'unknown user')
  }
  throw invalidGrant()
}

function mayLogIn({ has }: State, { state }: User): boolean {
  if (state === 'disabled' && has('disabled-user-told')) {
    throw new Refusal('invalid_grant', 'the account is disabled')
  }
  return state === 'active' || (state === 'second-factor' && has('second-factor-skipped'))
}

function readLogin({ has }: State, form: Form): [string, string] {
  if (has('missing-password-as-invalid-grant') && !form.get('password')) throw invalidGrant()
  return [form.need('username'), form.need('password')]
}

function isPassword({ has }: State, { password }: User, given: string): boolean {
  if (given.length > PASSWORD_MAX) {
    if (has('long-password-crashes')) throw new RangeError('the input is too long')
    return false
  }
  const cut = (text: string) => {
    const bytes = has('password-cut-at-72-bytes') ? Buffer.from(text).subarray(0, 72) : text
    const whole = bytes.toString()
    return has('password-cut-at-nul') ? (whole.split('\0')[0] ?? '') : whole
  }
  return cut(given) === cut(password)
}
