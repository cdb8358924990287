// What a client may exchange tokens for (RFC 8693): the rules of its policy. Also checks its JSON types,
// because a command hands in whatever was typed.

import type { FieldError } from '../runtime/field-error.ts'
import type { Client } from './client.ts'
import { isClientId } from './client-id.ts'
import { isAudience, isScope } from './client-lists.ts'
import { EXCHANGE_MODES, type ExchangePolicy } from './client-settings.ts'

/** The grant that goes by the policy. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

const RULES_MAX = 32
const LIST_LENGTH_MAX = 100
/** Of a rule's audience and scopes: a token with a chain of actors stays below 8 KiB. */
const TARGET_BYTES_MAX = 1024
/** Scopes that open Lineage itself are for whoever logs in there. */
const OWN_SCOPE = 'lineage:'

const MEMBERS: readonly string[] = ['audience', 'scopes', 'subjectClients', 'mode', 'mayAct']

type Exchanging = Pick<Client, 'grantTypes' | 'tokenDelivery' | 'exchange'>

/** The rules of a policy; an empty one exchanges nothing. */
export function checkExchange({ grantTypes, tokenDelivery, exchange }: Exchanging): FieldError[] {
  const errors: FieldError[] = []
  const refuse = (pointer: string, detail: string) => errors.push({ pointer, detail })
  if (grantTypes.includes(TOKEN_EXCHANGE) && tokenDelivery === 'cookie') {
    refuse('/tokenDelivery', 'must be body where tokens are exchanged')
  }
  if (exchange.length === 0) return errors
  if (!grantTypes.includes(TOKEN_EXCHANGE)) {
    refuse('/exchange', `must be empty without the grant ${TOKEN_EXCHANGE}`)
  }
  if (exchange.length > RULES_MAX) {
    refuse('/exchange', `must have at most ${RULES_MAX} items`)
    return errors
  }
  const seen = new Set<string>()
  for (const [index, rule] of exchange.entries()) {
    const faults = checkRule(rule)
    for (const { pointer, detail } of faults) refuse(`/exchange/${index}${pointer}`, detail)
    if (faults.length > 0) continue
    // Which rule a request fits must never depend on their order alone.
    for (const [place, id] of rule.subjectClients.entries()) {
      const pair = `${rule.audience} ${id}`
      const pointer = `/exchange/${index}/subjectClients/${place}`
      if (seen.has(pair)) refuse(pointer, 'is in another rule for this audience')
      seen.add(pair)
    }
  }
  return errors
}

function checkRule(rule: unknown): FieldError[] {
  if (typeof rule !== 'object' || rule === null) return [{ pointer: '', detail: 'must be a rule' }]
  const given = rule as { readonly [Member in keyof ExchangePolicy]?: unknown }
  const unknown = Object.keys(rule).filter((member) => !MEMBERS.includes(member))
  const isAny = EXCHANGE_MODES.some((mode) => mode === given.mode)
  return [
    ...unknown.map((member) => ({ pointer: `/${member}`, detail: 'is not known' })),
    ...unless(
      typeof given.audience === 'string' && isAudience(given.audience),
      '/audience',
      'must be an audience',
    ),
    ...checkList(
      '/scopes',
      given.scopes,
      isExchangeable,
      'must be a scope, none of Lineage itself',
    ),
    ...checkList('/subjectClients', given.subjectClients, isClientId, "must be a client's id"),
    ...unless(
      !Array.isArray(given.subjectClients) || given.subjectClients.length > 0,
      '/subjectClients',
      'must not be empty',
    ),
    ...unless(isAny, '/mode', `must be one of ${EXCHANGE_MODES.join(', ')}`),
    ...unless(
      given.mayAct === undefined || (typeof given.mayAct === 'string' && isClientId(given.mayAct)),
      '/mayAct',
      "must be a client's id",
    ),
    ...unless(
      Buffer.byteLength(JSON.stringify([given.audience, given.scopes])) <= TARGET_BYTES_MAX,
      '/scopes',
      `must have at most ${TARGET_BYTES_MAX} bytes together with the audience`,
    ),
  ]
}

function isExchangeable(scope: string): boolean {
  return isScope(scope) && !scope.startsWith(OWN_SCOPE)
}

function checkList(
  pointer: string,
  items: unknown,
  isGood: (item: string) => boolean,
  detail: string,
): FieldError[] {
  if (!Array.isArray(items)) return [{ pointer, detail: 'must be a list' }]
  if (items.length > LIST_LENGTH_MAX) {
    return [{ pointer, detail: `must have at most ${LIST_LENGTH_MAX} items` }]
  }
  return items.flatMap((item: unknown, index) => {
    if (typeof item !== 'string' || !isGood(item))
      return [{ pointer: `${pointer}/${index}`, detail }]
    const isDouble = items.indexOf(item) < index
    return isDouble ? [{ pointer: `${pointer}/${index}`, detail: 'is given twice' }] : []
  })
}

function unless(isGood: boolean, pointer: string, detail: string): FieldError[] {
  return isGood ? [] : [{ pointer, detail }]
}
