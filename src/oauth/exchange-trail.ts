// Where a token of a token exchange comes from (RFC 8693): a claim of our own, by which it dies with
// whatever it was made of.

import { ACTOR_DEPTH_MAX } from './actor.ts'

/** How many exchanges lie between a login and a token at most, whoever is named in `act`. */
export const EXCHANGES_MAX = ACTOR_DEPTH_MAX

/** A token that was exchanged, by the names of its own claims. */
export interface ExchangedToken {
  readonly jti: string
  readonly client_id: string
  readonly iat: number
}

/** The token of the login or of the client itself comes first; each was exchanged for the next. */
export type ExchangeTrail = readonly [ExchangedToken, ...ExchangedToken[]]

/** Whether a value of a token is a trail as we write it. */
export function isExchangeTrail(value: unknown): value is ExchangeTrail {
  if (!Array.isArray(value) || value.length === 0 || value.length > EXCHANGES_MAX) return false
  return value.every(isExchangedToken)
}

function isExchangedToken(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { jti, client_id: clientId, iat, ...more } = value as Record<string, unknown>
  const isNamed = typeof jti === 'string' && jti !== '' && typeof clientId === 'string'
  return isNamed && clientId !== '' && Number.isSafeInteger(iat) && Object.keys(more).length === 0
}
