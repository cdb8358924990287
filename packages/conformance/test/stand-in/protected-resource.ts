// A resource that takes the stand-in's tokens, Bearer (RFC 6750 §3) and DPoP (RFC 9449 §7).

import { decodeJwt } from 'jose'
import { type AccessClaims, checkAccessToken } from './access-token.ts'
import { checkProof } from './dpop.ts'
import type { SigningKey } from './signing-keys.ts'
import type { State } from './state.ts'
import type { Call, Reply } from './wire.ts'

/** The one scope that it asks for. */
export const RESOURCE_SCOPE = 'notes:read'

export async function handleResource(state: State, key: SigningKey, call: Call): Promise<Reply> {
  const { has, ownResource } = state
  const [, scheme = '', token] =
    /^(Bearer|DPoP) +(.+)$/i.exec(call.headers.authorization ?? '') ?? []
  const inQuery = new URLSearchParams(call.query).get('access_token')
  const presented = token ?? (has('query-token-taken') ? (inQuery ?? undefined) : undefined)
  if (presented === undefined) {
    return challenge(state, 401, has('bare-challenge-with-error') ? 'invalid_token' : undefined)
  }
  const claims = has('resource-believes-claims')
    ? decodeJwt<AccessClaims>(presented)
    : await checkAccessToken(state, key, presented)
  if (!claims) return refuse(state)
  const isForHere = [claims.aud].flat().includes(ownResource)
  if (!isForHere) return refuse(state)
  if (claims.cnf && !(await isProven(state, call, scheme, presented, claims.cnf.jkt))) {
    return refuse(state)
  }
  const isAllowed = (claims.scope ?? '').split(' ').includes(RESOURCE_SCOPE)
  if (isAllowed) return { status: 200, body: { subject: claims.sub } }
  return has('scope-failure-as-401')
    ? challenge(state, 401, 'invalid_token')
    : challenge(state, 403, 'insufficient_scope')
}

async function isProven(
  state: State,
  call: Call,
  scheme: string,
  token: string,
  jkt: string | undefined,
): Promise<boolean> {
  if (scheme.toLowerCase() !== 'dpop' || jkt === undefined) return false
  return (await checkProof(state, call, token).catch(() => undefined)) === jkt
}

const refuse = (state: State): Reply =>
  state.has('bad-token-as-403') ? challenge(state, 403) : challenge(state, 401, 'invalid_token')

function challenge({ has, origin }: State, status: number, error?: string): Reply {
  if (has('resource-challenge-missing')) return { status, body: { error } }
  const metadata = `resource_metadata="${origin}/.well-known/oauth-protected-resource/api"`
  const details = error === undefined ? '' : `, error="${error}"`
  return {
    status,
    headers: { 'WWW-Authenticate': `Bearer realm="stand-in", ${metadata}${details}` },
    body: error === undefined ? {} : { error },
  }
}
