// All that the stand-in remembers: whom it knows, families of refresh tokens, what was revoked.

import { randomBytes, randomUUID } from 'node:crypto'
import type { JWK } from 'jose'
import type { Guesses } from './guess-limit.ts'
import type { Has } from './wire.ts'

export interface Client {
  readonly id: string
  /** Empty for a public client and for one that proves itself otherwise. */
  readonly secrets: readonly string[]
  readonly assertionKey?: JWK
  /** Whose certificate proves the client (RFC 8705 §2.1). */
  readonly certificateSubject?: string
  /** Its tokens are bound to the certificate that it shows (RFC 8705 §3). */
  readonly bindsTokens?: true
  readonly grants: readonly string[]
  readonly scopes: readonly string[]
  /** Resources whose tokens it may ask about. */
  readonly audiences: readonly string[]
  readonly idleSeconds: number
  readonly absoluteSeconds: number
}

export interface User {
  readonly id: string
  readonly username: string
  readonly password: string
  readonly email: string
  readonly state: 'active' | 'disabled' | 'second-factor'
}

export interface Family {
  readonly id: string
  readonly client: Client
  readonly user: User
  readonly scope: readonly string[]
  readonly resources: readonly string[]
  readonly authTime: number
  /** The earlier of the idle and the absolute end, to the millisecond. */
  expiresAt: number
  readonly absoluteEnd: number
  /** The key that a public client's refresh tokens are bound to (RFC 9449 §5). */
  readonly jkt: string | undefined
  /** The certificate that they are bound to (RFC 8705 §4). */
  readonly x5t: string | undefined
  generation: number
  /** By generation; the last of them is live. */
  readonly tokens: string[]
  rotatedAtMs: number
  ended: boolean
  /** What the last refresh granted: never the bound of the next one. */
  scopeNow: readonly string[]
}

export interface State {
  readonly has: Has
  readonly issuer: string
  readonly origin: string
  /** The issuer's second URL, where certificates are asked for (RFC 8705 §5). */
  readonly mtlsIssuer: string
  readonly resources: readonly string[]
  readonly ownResource: string
  readonly clients: ReadonlyMap<string, Client>
  readonly users: readonly User[]
  readonly families: Map<string, Family>
  /** Which family and generation a refresh token stands for. */
  readonly refreshTokens: Map<string, { readonly family: Family; readonly generation: number }>
  readonly revokedJtis: Set<string>
  /** Of assertions and of proofs: each is taken once. */
  readonly seenJtis: Set<string>
  /** Those that proofs may carry; absent where none is asked for. */
  readonly nonces: Set<string> | undefined
  readonly guesses: Guesses
  /** How many logins are being judged. */
  atWork: number
  /** The tokens that have a place in the status list, by their index. */
  readonly statuses: Map<number, string>
}

export function openFamily(
  state: State,
  grant: Pick<Family, 'client' | 'user' | 'scope' | 'resources' | 'jkt' | 'x5t'>,
): Family {
  const now = Math.floor(Date.now() / 1000)
  const family: Family = {
    ...grant,
    id: randomUUID(),
    authTime: now,
    expiresAt: 0,
    absoluteEnd: Date.now() / 1000 + grant.client.absoluteSeconds,
    generation: -1,
    tokens: [],
    rotatedAtMs: 0,
    ended: false,
    scopeNow: grant.scope,
  }
  state.families.set(family.id, family)
  addGeneration(state, family)
  return family
}

/** Makes the next refresh token of a family and returns it. */
export function addGeneration(state: State, family: Family): string {
  const token = makeRefreshToken(state)
  family.expiresAt = findEnd(state, family)
  family.generation += 1
  family.rotatedAtMs = Date.now()
  family.tokens.push(token)
  state.refreshTokens.set(token, { family, generation: family.generation })
  return token
}

function findEnd({ has }: State, { client, absoluteEnd }: Family): number {
  const idleEnd = Date.now() / 1000 + client.idleSeconds
  if (has('idle-refresh-token-lives')) return absoluteEnd
  return has('rotation-prolongs-family') ? idleEnd : Math.min(idleEnd, absoluteEnd)
}

function makeRefreshToken({ has, refreshTokens }: State): string {
  if (has('guessable-refresh-token')) return `rt-${String(refreshTokens.size).padStart(8, '0')}`
  return randomBytes(32).toString('base64url')
}

export function findRefreshToken(
  { has, refreshTokens }: State,
  token: string,
): { readonly family: Family; readonly generation: number } | undefined {
  if (has('refresh-token-prefix-compared')) {
    for (const [known, found] of refreshTokens) {
      if (known.slice(0, 16) === token.slice(0, 16)) return found
    }
  }
  return refreshTokens.get(token)
}

export const isLive = ({ ended, expiresAt }: Family): boolean =>
  !ended && expiresAt > Date.now() / 1000

/** Anybody may say its name: it proves nothing by it. */
export const isPublic = ({ secrets, assertionKey, certificateSubject }: Client): boolean =>
  secrets.length === 0 && assertionKey === undefined && certificateSubject === undefined
