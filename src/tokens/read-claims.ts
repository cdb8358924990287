// The claims of an access token as they are read back: every one checked for being as we write it.

import type { ClientId } from '../clients/client.ts'
import { BY_PASSWORD, type FamilyId } from '../families/family.ts'
import { isActor, isPermittedActor } from '../oauth/actor.ts'
import { isConfirmation } from '../oauth/confirmation.ts'
import { isExchangeTrail } from '../oauth/exchange-trail.ts'
import type { Stated } from '../runtime/stated.ts'
import type { UserId } from '../users/user.ts'
import {
  type AccessTokenClaims,
  type ClientTokenClaims,
  type CommonClaims,
  type ExternalTokenClaims,
  originOf,
  type UserTokenClaims,
} from './access-token.ts'
import { isExternalSubject } from './external-subject.ts'

/** The claims of a signed payload, whose signature is checked; undefined where one is not as we write it. */
export function readClaims(claims: Record<string, unknown>): AccessTokenClaims | undefined {
  const { iss, sub, aud, exp, iat, jti, client_id: clientId, scope, cnf, act } = claims
  if (!isText(iss) || !isText(sub) || !isText(jti) || !isText(clientId)) return undefined
  if (!isTime(exp) || !isTime(iat)) return undefined
  if (!isText(aud) && !(isTextList(aud) && aud.length > 0)) return undefined
  if (scope !== undefined && !isText(scope)) return undefined
  if (cnf !== undefined && !isConfirmation(cnf)) return undefined
  if (act !== undefined && !isActor(act)) return undefined
  const { may_act: mayAct, exchanged_from: exchangedFrom } = claims
  if (mayAct !== undefined && !isPermittedActor(mayAct)) return undefined
  if (exchangedFrom !== undefined && !isExchangeTrail(exchangedFrom)) return undefined
  const common: Stated<CommonClaims> = {
    iss,
    aud,
    exp,
    iat,
    jti,
    client_id: clientId as ClientId,
    scope,
    cnf,
    act,
    may_act: mayAct,
    exchanged_from: exchangedFrom,
  }
  // A token of a release without factors has no `amr`: its login was by the password alone.
  const { sid, auth_time: authTime, amr = BY_PASSWORD, roles } = claims
  if (sid === undefined) {
    const own = { ...common, sid, auth_time: undefined, amr: undefined, roles: undefined }
    if (isExternalSubject(sub)) return { ...own, sub } satisfies Stated<ExternalTokenClaims>
    if (sub !== originOf(common)) return undefined
    return { ...own, sub: sub as ClientId } satisfies Stated<ClientTokenClaims>
  }
  if (!isText(sid) || !isTime(authTime)) return undefined
  if (!isTextList(amr) || !isTextList(roles)) return undefined
  const user = { sub: sub as UserId, sid: sid as FamilyId, auth_time: authTime, amr, roles }
  return { ...common, ...user } satisfies Stated<UserTokenClaims>
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText)
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value)
}
