// The claims of a token that an exchange makes (RFC 8693): the subject's, for whoever exchanged it. Says
// nothing of whether that is allowed.

import type { Client } from '../clients/client.ts'
import type { Actor, PermittedActor } from '../oauth/actor.ts'
import type { Confirmation } from '../oauth/confirmation.ts'
import type { ExchangeTrail } from '../oauth/exchange-trail.ts'
import { toSeconds } from '../runtime/clock.ts'
import type { AccessTokenClaims } from './access-token.ts'
import { newTokenId } from './access-token.ts'

export interface ExchangeInput {
  /** Of the live subject token, with the roles of this moment. */
  readonly subject: AccessTokenClaims
  /** Who exchanges it. */
  readonly client: Pick<Client, 'id' | 'accessTokenTtlSeconds' | 'sessionsValidFrom'>
  readonly audience: string
  readonly scope: readonly string[]
  readonly confirmation: Confirmation | undefined
  readonly act: Actor | undefined
  readonly mayAct: PermittedActor | undefined
  /** Of the token by which its actor is known, if there is one. */
  readonly actor: Pick<AccessTokenClaims, 'iat' | 'exp'> | undefined
  readonly nowMs: number
}

/** The subject token as the last step of the way to the new one. */
export function trailOf({
  jti,
  client_id,
  iat,
  exchanged_from: trail,
}: AccessTokenClaims): ExchangeTrail {
  const last = { jti, client_id, iat }
  return trail ? [...trail, last] : [last]
}

/** A token of its own each time, neither older than those that it is made of nor good for longer. */
export function buildExchangedClaims(input: ExchangeInput): AccessTokenClaims {
  const { subject, client, audience, scope, confirmation, act, mayAct, actor = subject } = input
  // Never before an end of sessions that anybody's token came after, even if our clock is behind it.
  const validFrom = toSeconds(Math.max(input.nowMs, client.sessionsValidFrom.getTime()))
  const iat = Math.max(validFrom, subject.iat, actor.iat)
  return {
    ...subject,
    aud: audience,
    scope: scope.length > 0 ? scope.join(' ') : undefined,
    exp: Math.min(iat + client.accessTokenTtlSeconds, subject.exp, actor.exp),
    iat,
    jti: newTokenId(),
    client_id: client.id,
    cnf: confirmation,
    act,
    may_act: mayAct,
    exchanged_from: trailOf(subject),
  }
}
