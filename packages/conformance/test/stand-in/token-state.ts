// What becomes of tokens after they were issued: POST /revoke (RFC 7009), POST /introspect
// (RFC 7662 and, as a signed answer, RFC 9701).

import { type AccessClaims, checkAccessToken } from './access-token.ts'
import { authenticateClient, invalidClient } from './client-auth.ts'
import { type Form, readForm } from './form.ts'
import { type SigningKey, signJwt } from './signing-keys.ts'
import {
  type Client,
  type Family,
  findRefreshToken,
  isLive,
  isPublic,
  type State,
} from './state.ts'
import { type Call, Refusal, type Reply } from './wire.ts'

export const SIGNED_INTROSPECTION = 'application/token-introspection+jwt'

export async function handleRevocation(state: State, key: SigningKey, call: Call): Promise<Reply> {
  const { has, revokedJtis } = state
  const form = readForm(call, has)
  if (has('revoke-needs-no-token') && !form.get('token')) return { status: 200 }
  const token = form.need('token')
  const client = has('revoke-open') ? undefined : await authenticateClient(state, call, form)
  const isMine = (id: string) => !client || id === client.id || has('foreign-token-revoked')
  const refresh = skipsRefresh(state, form) ? undefined : findRefresh(state, token)
  const access = refresh ? undefined : await checkAccessToken(state, key, token)
  if (!refresh && !access && has('revoke-tells-unknown')) {
    throw new Refusal('invalid_grant', 'the token is not known')
  }
  if (refresh && isMine(refresh.family.client.id)) endFamily(state, refresh.family)
  if (access && isMine(access.client_id) && !has('access-token-not-revoked')) {
    revokedJtis.add(access.jti)
  }
  return { status: 200 }
}

function findRefresh(state: State, token: string) {
  const found = findRefreshToken(state, token)
  if (found || !state.has('near-miss-revoked')) return found
  const near = [...state.refreshTokens].find(([known]) => known.startsWith(token.slice(0, 16)))
  return near?.[1]
}

function endFamily({ has, refreshTokens }: State, family: Family): void {
  if (has('refresh-token-not-revoked')) return
  if (!has('revoked-family-keeps-access-tokens')) family.ended = true
  else for (const token of family.tokens) refreshTokens.delete(token)
}

/** A server that takes the hint for a promise. */
function skipsRefresh({ has }: State, form: Form): boolean {
  return has('hint-believed') && form.get('token_type_hint') !== 'refresh_token'
}

export async function handleIntrospection(
  state: State,
  key: SigningKey,
  call: Call,
): Promise<Reply> {
  const { has, issuer } = state
  const form = readForm(call, has)
  const token = form.need('token')
  const caller = await authenticateCaller(state, call, form)
  const body = await describeToken(state, key, form, token, caller)
  if (body.active === false && has('introspection-unknown-404')) {
    throw new Refusal('invalid_token', 'there is no such token', 404)
  }
  if (call.headers.accept !== SIGNED_INTROSPECTION) return { status: 200, body }
  const claims = {
    ...(has('signed-introspection-flat') ? body : { token_introspection: body }),
    iss: issuer,
    aud: has('signed-introspection-for-anybody') ? issuer : caller.id,
    iat: Math.floor(Date.now() / 1000),
  }
  const typ = has('signed-introspection-typ-plain') ? 'JWT' : 'token-introspection+jwt'
  const headers = { 'Content-Type': SIGNED_INTROSPECTION }
  return { status: 200, headers, body: await signJwt(key, typ, claims, has) }
}

async function authenticateCaller(state: State, call: Call, form: Form): Promise<Client> {
  const { has, clients } = state
  const isNamed = form.get('client_id') !== undefined || call.headers.authorization !== undefined
  const anybody = [...clients.values()][0]
  if (has('introspection-open') && !isNamed && anybody) return anybody
  const client = await authenticateClient(state, call, form)
  // A public client proves nothing: anybody could ask in its name.
  if (isPublic(client) && !has('public-client-introspects')) throw invalidClient(state)
  return client
}

async function describeToken(
  state: State,
  key: SigningKey,
  form: Form,
  token: string,
  caller: Client,
): Promise<Record<string, unknown>> {
  const { has } = state
  const refresh = skipsRefresh(state, form) ? undefined : findRefreshToken(state, token)
  if (refresh) return describeRefresh(state, refresh.family, refresh.generation, caller)
  const claims = await checkAccessToken(state, key, token)
  const isKnown = claims !== undefined && (isFor(claims, caller) || has('introspection-by-anybody'))
  if (!isKnown) return inactive(state, token)
  const active = has('active-as-text') ? 'true' : true
  const { cnf, ...others } = claims
  const shown = cnf && !(cnf['x5t#S256'] && has('certificate-not-introspected')) ? { cnf } : {}
  return { ...others, ...shown, active, token_type: cnf?.jkt ? 'DPoP' : 'Bearer' }
}

function describeRefresh(
  state: State,
  family: Family,
  generation: number,
  caller: Client,
): Record<string, unknown> {
  const { has, issuer } = state
  const { client, user, scope, expiresAt, authTime } = family
  const isMine = client.id === caller.id || has('foreign-refresh-token-described')
  const isCurrent = generation === family.generation || has('old-refresh-token-active')
  if (!isMine || !isCurrent || !isLive(family)) return inactive(state, '')
  return {
    active: true,
    iss: issuer,
    sub: user.id,
    client_id: client.id,
    scope: scope.join(' '),
    exp: Math.floor(expiresAt),
    iat: authTime,
  }
}

function inactive({ has }: State, token: string): Record<string, unknown> {
  if (has('active-missing')) return {}
  return has('inactive-tells-more')
    ? { active: false, token_length: token.length }
    : { active: false }
}

function isFor(claims: AccessClaims, caller: Client): boolean {
  const audiences = [claims.aud].flat()
  return claims.client_id === caller.id || audiences.some((one) => caller.audiences.includes(one))
}
