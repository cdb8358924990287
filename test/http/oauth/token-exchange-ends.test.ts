// An exchanged token ends with whatever it was made of, at once and with both stores: /verify and
// /introspect refuse it, and so does the next exchange (docs/semantics.md §25).

import { decodeJwt } from 'jose'
import { test } from 'tap'
import { actor } from '../../scenes/exchange-attacks.ts'
import {
  BILLING,
  type ExchangeScene,
  openExchangeScene,
  STOCK,
} from '../../scenes/exchange-scene.ts'
import { logIn } from '../../support/app.ts'

interface Chain {
  readonly login: { readonly access_token: string; readonly refresh_token: string }
  readonly first: string
  readonly second: string
}

/** A login at `web`, exchanged by `gateway`, and that by `orders`. */
async function makeChain({ app, user, exchange }: ExchangeScene): Promise<Chain> {
  const login = await logIn(app, { id: 'web' }, user)
  const { token: first } = await exchange(login.access_token)
  const { token: second } = await exchange(first, { audience: STOCK }, 'orders')
  return { login, first, second }
}

type End = (scene: ExchangeScene, chain: Chain) => Promise<unknown>

const revoke =
  (by: string, tokenOf: (chain: Chain) => string): End =>
  ({ app, secretOf }, chain) => {
    const client_secret = secretOf(by) || undefined
    return app.form('/revoke', { client_id: by, client_secret, token: tokenOf(chain) })
  }

/** Whether the first and the second token still live afterwards. */
const ENDS: Readonly<Record<string, readonly [End, first: boolean, second: boolean]>> = {
  nothing: [async () => {}, true, true],
  'the last token is revoked': [revoke('orders', ({ second }) => second), true, false],
  'the first exchanged token is revoked': [revoke('gateway', ({ first }) => first), false, false],
  'the subject token alone is revoked': [
    revoke('web', ({ login }) => login.access_token),
    false,
    false,
  ],
  'the session is logged out': [revoke('web', ({ login }) => login.refresh_token), false, false],
  'somebody else tries to revoke it': [revoke('orders', ({ first }) => first), true, true],
  'the session is ended by an administrator': [
    ({ app, user }, { first }) =>
      app.admin('DELETE', `/admin/users/${user.id}/sessions/${decodeJwt(first).sid}`),
    false,
    false,
  ],
  'the user gets a new password': [
    ({ app, user }) =>
      app.admin('PUT', `/admin/users/${user.id}/password`, { password: user.password }),
    false,
    false,
  ],
  'the user is disabled for a moment': [
    async ({ app, user }) => {
      await app.admin('PATCH', `/admin/users/${user.id}`, { status: 'disabled' })
      await app.admin('PATCH', `/admin/users/${user.id}`, { status: 'active' })
    },
    false,
    false,
  ],
  'the client of the second exchange is deleted': [
    ({ app }) => app.admin('DELETE', '/admin/clients/orders'),
    true,
    false,
  ],
  'the client of the first exchange is deleted': [
    ({ app }) => app.admin('DELETE', '/admin/clients/gateway'),
    false,
    false,
  ],
}

for (const store of ['postgresql', 'redis'] as const) {
  test(`an exchanged token ends with what it was made of, with families in ${store}`, async (t) => {
    let scene = await openExchangeScene(t, store)
    for (const [what, [end, first, second]] of Object.entries(ENDS)) {
      if (what.startsWith('the client of the first')) scene = await openExchangeScene(t, store)
      const chain = await makeChain(scene)
      t.ok((await scene.isGood(chain.first)) && (await scene.isGood(chain.second)), what)
      await end(scene, chain)
      t.equal(await scene.isGood(chain.first), first, `${what}: the first`)
      t.equal(await scene.isGood(chain.second), second, `${what}: the second`)
      const next = await scene.exchange(chain.first, { audience: STOCK }, 'orders')
      if (!what.includes('is deleted')) t.equal(next.status === 200, first, `${what}: exchanged`)
    }
  })
}

test('the end of the sessions of any client on the way ends it; later ones are good', async (t) => {
  let nowMs = Date.now()
  for (const client of ['web', 'gateway', 'orders']) {
    const scene = await openExchangeScene(t, 'postgresql', { clock: () => nowMs })
    const { first, second } = await makeChain(scene)
    nowMs += 2_000
    await scene.app.admin('DELETE', `/admin/clients/${client}/sessions`)
    t.equal(await scene.isGood(second), false, client)
    t.equal(await scene.isGood(first), client === 'orders', client)
    nowMs += 2_000
    const again = await makeChain(scene)
    t.ok(await scene.isGood(again.second), client)
  }
})

test("a client's own token that was exchanged ends with either client", async (t) => {
  for (const client of ['batch', 'gateway']) {
    const scene = await openExchangeScene(t)
    const own = await scene.ownToken('batch')
    const { token } = await scene.exchange(own)
    const second = await scene.exchange(token)
    t.ok(await scene.isGood(second.token))
    await scene.app.admin('DELETE', `/admin/clients/${client}`)
    t.equal(await scene.isGood(token), false)
    t.equal(await scene.isGood(second.token), false)
  }
  const scene = await openExchangeScene(t)
  const own = await scene.ownToken('batch')
  const { token } = await scene.exchange(own)
  const client_secret = scene.secretOf('batch')
  await scene.app.form('/revoke', { client_id: 'batch', client_secret, token: own })
  t.equal(await scene.isGood(token), false, 'its subject token was revoked')
})

for (const what of ['deleted', 'deleted and made anew', 'its sessions ended'] as const) {
  test(`a token ends with whichever client acts in it, now or before: ${what}`, async (t) => {
    let nowMs = Date.now()
    const scene = await openExchangeScene(t, 'postgresql', { clock: () => nowMs })
    const { app, exchange, isGood } = scene
    const others = await makeChain(scene)
    const ofBatch = await scene.ownToken('batch')
    const first = await exchange(await scene.logIn(), actor(ofBatch))
    const second = await exchange(first.token, { audience: STOCK }, 'orders')
    const third = await exchange(second.token, { audience: BILLING })
    t.strictSame(third.claims.act, { sub: 'orders', act: { sub: 'batch' } })
    const tokens = [first.token, second.token, third.token]
    for (const token of tokens) t.ok(await isGood(token))
    nowMs += 2_000
    const path = '/admin/clients/batch'
    await app.admin('DELETE', what.startsWith('deleted') ? path : `${path}/sessions`)
    if (what === 'deleted and made anew') await app.makeClient({ id: 'batch' })
    for (const token of [ofBatch, ...tokens]) t.equal(await isGood(token), false)
    t.equal((await exchange(first.token, { audience: STOCK }, 'orders')).status, 400)
    t.equal(scene.lastReason(), 'exchange_subject_inactive')
    t.ok(await isGood(others.second), 'in which it does not act')
    if (what !== 'its sessions ended') return
    const again = await exchange(await scene.logIn(), actor(await scene.ownToken('batch')))
    t.ok(await isGood(again.token), 'by a later token of the actor')
  })
}

test('a scope goes with the role, the first client and the rule', async (t) => {
  const scene = await openExchangeScene(t)
  const { app } = scene
  const { token } = await scene.exchange(await scene.logIn())
  const scopeNow = async () => {
    const answer = await app.fetch('/verify', { headers: { authorization: `Bearer ${token}` } })
    return answer.headers.get('x-auth-scope')
  }
  t.equal(await scopeNow(), 'orders:read orders:write')
  await app.admin('PATCH', '/admin/clients/web', { scopes: ['orders:write'], defaultScopes: [] })
  t.equal(await scopeNow(), 'orders:write')
  await app.admin('PATCH', '/admin/clients/gateway', { exchange: [] })
  t.equal(await scopeNow(), '-')
})
