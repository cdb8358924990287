// Keys around a token exchange (RFC 9449): the new token is bound to what whoever exchanges has shown, and a
// bound actor token is worth nothing without its key (docs/semantics.md §25).

import { test } from 'tap'
import { makeProver } from '../../scenes/dpop-scene.ts'
import { actor, BAD_TOKEN } from '../../scenes/exchange-attacks.ts'
import { openExchangeScene } from '../../scenes/exchange-scene.ts'
import { ISSUER } from '../../support/app.ts'

test('the new token is bound to the key of whoever exchanges, whatever the subject is bound to', async (t) => {
  const scene = await openExchangeScene(t)
  const rule = { audience: ISSUER, scopes: [], subjectClients: ['batch'], mode: 'delegation' }
  await scene.app.admin('PATCH', '/admin/clients/gateway', { exchange: [rule] })
  const [caller, gateway] = [await makeProver(), await makeProver()]
  const subject = await scene.ownToken('batch', {}, { dpop: caller.prove() })
  const headers = { dpop: gateway.prove() }
  const { body, claims, token } = await scene.exchange(subject, {}, 'gateway', headers)
  t.equal(body.token_type, 'DPoP')
  t.strictSame(claims.cnf, { jkt: gateway.thumbprint })
  const present = async (proof: string) => {
    const sent = { authorization: `DPoP ${token}`, dpop: proof }
    return (await scene.app.fetch('/users/me', { headers: sent })).status
  }
  const target = { token, method: 'GET', url: `${ISSUER}/users/me` }
  t.equal(await present(caller.prove(target)), 401, 'the key of the caller')
  t.equal(await present(gateway.prove(target)), 403, 'its own key; it is no token of a user')
  const plain = await scene.exchange(subject)
  t.strictSame([plain.body.token_type, plain.claims.cnf], ['Bearer', undefined])
})

test('a bound actor token counts only if this request has shown its key', async (t) => {
  const scene = await openExchangeScene(t)
  const [key, other] = [await makeProver(), await makeProver()]
  const subject = await scene.logIn()
  const ofOrders = actor(await scene.ownToken('orders', {}, { dpop: key.prove() }))
  const refused = [
    ['another client without a proof', 'courier', {}],
    ['another client with a key of its own', 'courier', { dpop: other.prove() }],
  ] as const
  for (const [what, by, headers] of refused) {
    const answer = await scene.exchange(subject, ofOrders, by, headers)
    t.strictSame([answer.status, answer.body], [400, BAD_TOKEN], what)
    t.equal(scene.lastReason(), 'exchange_actor_unproven', what)
  }
  const { token } = await scene.exchange(subject)
  const itself = await scene.exchange(token, ofOrders, 'orders')
  t.equal(itself.status, 400, 'nor does its own client, without the key')
  t.equal(scene.lastReason(), 'exchange_actor_unproven')
  const shown = await scene.exchange(token, ofOrders, 'orders', { dpop: key.prove() })
  t.strictSame([shown.status, shown.claims.act], [200, { sub: 'orders', act: { sub: 'gateway' } }])
  t.strictSame(shown.claims.cnf, { jkt: key.thumbprint })
})
