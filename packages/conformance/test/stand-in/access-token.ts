// Access tokens (RFC 9068): what they say, and whether one is still good.

import { confirmCertificate } from './client-certificate.ts'
import { makeJti, readJwt, type SigningKey, signJwt } from './signing-keys.ts'
import { type Client, type Family, isLive, type State } from './state.ts'
import { drawStatus } from './status-list.ts'
import type { Has } from './wire.ts'

const TTL_SECONDS = 600

/** What the sender of a request has shown to hold, and its tokens are bound to. */
export interface Holder {
  /** Thumbprint of the key (RFC 9449 §6). */
  readonly jkt: string | undefined
  /** Digest of the certificate (RFC 8705 §3). */
  readonly x5t: string | undefined
}

export interface TokenGrant extends Holder {
  readonly client: Client
  readonly scope: readonly string[]
  readonly resources: readonly string[]
  /** Absent where no user is involved. */
  readonly family?: Family
  /** Of a token that came out of an exchange (RFC 8693 §2.2.1, §4.1). */
  readonly issuedTokenType?: string | undefined
  readonly actor?: string | undefined
}

export interface AccessClaims {
  readonly iss: string
  readonly sub: string
  readonly aud: string | readonly string[]
  readonly client_id: string
  readonly exp: number
  readonly iat: number
  readonly jti: string
  readonly scope?: string
  readonly sid?: string
  readonly cnf?: { readonly jkt?: string; readonly 'x5t#S256'?: string }
}

/** The members of the answer that speak of the access token. */
export async function issueAccessToken(state: State, key: SigningKey, grant: TokenGrant) {
  const { has } = state
  const { scope, jkt, issuedTokenType } = grant
  const ttl = has('expires-in-wrong') ? TTL_SECONDS + 60 : TTL_SECONDS
  const claims = makeClaims(state, grant)
  return {
    access_token: await signJwt(key, 'at+jwt', claims, has),
    token_type: typeOf(jkt, has),
    ...(issuedTokenType === undefined ? {} : { issued_token_type: issuedTokenType }),
    expires_in: has('expires-in-as-text') ? String(ttl) : ttl,
    ...(has('scope-not-returned') ? {} : { scope: scope.join(' ') }),
  }
}

function audienceOf({ resources }: TokenGrant, issuer: string, has: Has): string | string[] {
  if (has('audience-of-everybody')) return ['*', ...resources]
  if (has('resource-ignored')) return issuer
  const [only, ...more] = resources
  return only !== undefined && more.length === 0 ? only : [...resources]
}

function typeOf(jkt: string | undefined, has: Has): string {
  if (has('token-type-foreign')) return 'mac'
  return jkt === undefined || has('dpop-token-called-bearer') ? 'Bearer' : 'DPoP'
}

function makeClaims(state: State, grant: TokenGrant) {
  const { has, issuer } = state
  const { client, scope, family, jkt, x5t, actor } = grant
  const cnf = {
    ...(jkt === undefined || has('dpop-confirmation-missing') ? {} : { jkt }),
    ...(x5t === undefined ? {} : confirmCertificate(state, x5t)),
  }
  const jti = makeJti(has)
  const now = Math.floor(Date.now() / 1000)
  return {
    iss: has('token-issuer-differs') ? `${issuer}/` : issuer,
    sub: subjectOf(grant, has),
    ...(has('aud-missing') ? {} : { aud: audienceOf(grant, issuer, has) }),
    ...(has('client-id-claim-missing') ? {} : { client_id: client.id }),
    exp: now + TTL_SECONDS,
    iat: now,
    ...(has('jti-missing') ? {} : { jti }),
    ...(has('scope-claim-missing')
      ? {}
      : { scope: has('scope-claim-as-list') ? [...scope] : scope.join(' ') }),
    ...(actor === undefined ? {} : { act: { sub: actor } }),
    status: { status_list: drawStatus(state, jti) },
    ...(family ? userClaims(family, now, has) : {}),
    ...(Object.keys(cnf).length > 0 ? { cnf } : {}),
    ...(has('token-swollen') ? { permissions: 'p'.repeat(9000) } : {}),
  }
}

function userClaims({ id, authTime, user }: Family, now: number, has: Has): object {
  return {
    sid: id,
    auth_time: has('auth-time-moves') ? now : authTime,
    ...(has('personal-data-in-token') ? { email: user.email, name: user.username } : {}),
  }
}

function subjectOf({ client, family }: TokenGrant, has: Has): string {
  if (has('client-sub-like-a-user')) return 'account-1'
  return family ? family.user.id : client.id
}

/** The claims of a token that is good now; undefined for every other text. */
export async function checkAccessToken(
  state: State,
  key: SigningKey,
  token: string,
): Promise<AccessClaims | undefined> {
  const { has, issuer, revokedJtis, families } = state
  const claims = (await readJwt(key, token, has)) as AccessClaims | undefined
  if (!claims || (claims.iss !== issuer && !has('token-issuer-differs'))) return undefined
  if (claims.exp <= Date.now() / 1000) return undefined
  if (revokedJtis.has(claims.jti)) return undefined
  if (claims.sid === undefined) return claims
  const family = families.get(claims.sid)
  if (has('ended-family-token-active')) return claims
  return family && isLive(family) ? claims : undefined
}
