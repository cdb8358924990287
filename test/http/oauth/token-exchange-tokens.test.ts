// Which subject and actor tokens a token exchange refuses: the public answer and the logged reason
// (RFC 8693 §2.2.2, docs/semantics.md §25).

import { generateKeyPair, SignJWT } from 'jose'
import { test } from 'tap'
import {
  type Attack,
  actor,
  after,
  asking,
  BAD_TOKEN,
  runAttacks,
} from '../../scenes/exchange-attacks.ts'
import {
  BILLING,
  type ExchangeScene,
  openExchangeScene,
  STOCK,
} from '../../scenes/exchange-scene.ts'
import { logIn } from '../../support/app.ts'

const subjectRefused = { body: BAD_TOKEN, reason: 'exchange_subject_inactive' }
const userPath = ({ user }: ExchangeScene) => `/admin/users/${user.id}`
const admin = (method: string, path: (scene: ExchangeScene) => string, body?: unknown) =>
  after((scene) => scene.app.admin(method, path(scene), body))

const SUBJECTS: Readonly<Record<string, Attack>> = {
  'no token at all': { ...subjectRefused, run: asking({ subject_token: 'x.y.z' }) },
  'a changed signature': {
    ...subjectRefused,
    run: async (scene) => scene.exchange(`${(await scene.logIn()).slice(0, -8)}AAAAAAAA`),
  },
  'of another issuer': {
    ...subjectRefused,
    run: async (scene) => {
      const { privateKey } = await generateKeyPair('ES256')
      const [head, claims] = (await scene.logIn()).split('.')
      const read = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString())
      const token = new SignJWT(read(claims)).setProtectedHeader(read(head))
      return await scene.exchange(await token.sign(privateKey))
    },
  },
  'a refresh token': {
    ...subjectRefused,
    run: async (scene) => {
      const login = await logIn(scene.app, { id: 'web' }, scene.user)
      return await scene.exchange(login.refresh_token)
    },
  },
  revoked: {
    ...subjectRefused,
    run: after(({ app }, token) => app.form('/revoke', { client_id: 'web', token })),
  },
  'of a session that has ended': {
    ...subjectRefused,
    run: admin('DELETE', (scene) => `${userPath(scene)}/sessions`),
  },
  'of a user with a new password': {
    ...subjectRefused,
    run: after(({ app, user }) =>
      app.admin('PUT', `/admin/users/${user.id}/password`, { password: user.password }),
    ),
  },
  'of a disabled user': {
    ...subjectRefused,
    run: async (scene) => {
      const answer = await admin('PATCH', userPath, { status: 'disabled' })(scene)
      await scene.app.admin('PATCH', userPath(scene), { status: 'active' })
      return answer
    },
  },
  'of a deleted user': {
    ...subjectRefused,
    run: async (scene) => {
      const { app } = scene
      const user = await app.makeUser()
      const { access_token: token } = await logIn(app, { id: 'web' }, user)
      await app.admin('DELETE', `/admin/users/${user.id}`)
      return await scene.exchange(token)
    },
  },
  'of a client whose sessions were ended': {
    ...subjectRefused,
    run: admin('DELETE', () => '/admin/clients/web/sessions'),
  },
  'of a client that the rule does not name': {
    body: BAD_TOKEN,
    reason: 'exchange_subject_of_other_client',
    run: async (scene) => {
      const { access_token: token } = await logIn(scene.app, { id: 'other' }, scene.user)
      return await scene.exchange(token)
    },
  },
  'of a client that another rule names': {
    body: BAD_TOKEN,
    reason: 'exchange_subject_of_other_client',
    run: async (scene) =>
      await scene.exchange(await scene.ownToken('batch'), { audience: BILLING }),
  },
  'exchanged four times': {
    body: BAD_TOKEN,
    reason: 'exchange_chain_too_deep',
    run: async (scene) => {
      let { token } = await scene.exchange(await scene.logIn())
      for (let i = 0; i < 3; i += 1) token = (await scene.exchange(token)).token
      return await scene.exchange(token)
    },
  },
  'whose may_act names somebody else': {
    body: BAD_TOKEN,
    reason: 'exchange_actor_not_allowed',
    run: async (scene) => {
      const { exchange: rules } = (await (
        await scene.app.admin('GET', '/admin/clients/gateway')
      ).json()) as { exchange: { mayAct?: string }[] }
      const [orders, billing, ledger] = rules
      const changed = [{ ...orders, mayAct: 'orders' }, billing, ledger]
      await scene.app.admin('PATCH', '/admin/clients/gateway', { exchange: changed })
      const { token } = await scene.exchange(await scene.logIn())
      const named = await scene.exchange(token, {}, 'orders')
      if (named.status !== 200 || named.claims.aud !== STOCK) throw new Error('it may not act')
      return await scene.exchange(token)
    },
  },
  // The last one, because nobody logs in afterwards.
  'of a deleted client': { ...subjectRefused, run: admin('DELETE', () => '/admin/clients/web') },
}

const ACTORS: Readonly<Record<string, Attack>> = {
  'an actor token that is none': {
    body: BAD_TOKEN,
    reason: 'exchange_actor_inactive',
    run: asking(actor('x.y.z')),
  },
  'an actor token that was revoked': {
    body: BAD_TOKEN,
    reason: 'exchange_actor_inactive',
    run: async (scene) => {
      const token = await scene.ownToken('gateway')
      const client_secret = scene.secretOf('gateway')
      await scene.app.form('/revoke', { client_id: 'gateway', client_secret, token })
      return await scene.exchange(await scene.logIn(), actor(token))
    },
  },
  'an actor token of an ended session': {
    body: BAD_TOKEN,
    reason: 'exchange_actor_inactive',
    run: async (scene) => {
      const token = await scene.logIn()
      await scene.app.admin('DELETE', `${userPath(scene)}/sessions`)
      return await scene.exchange(await scene.ownToken('batch'), actor(token))
    },
  },
  'an actor token of a client that the rule does not name': {
    body: BAD_TOKEN,
    reason: 'exchange_actor_of_other_client',
    run: async (scene) =>
      await scene.exchange(await scene.logIn(), actor(await scene.ownToken('orders'))),
  },
  'an actor token that was exchanged': {
    body: BAD_TOKEN,
    reason: 'exchange_actor_exchanged',
    run: async (scene) => {
      const { token } = await scene.exchange(await scene.logIn())
      return await scene.exchange(await scene.logIn(), actor(token))
    },
  },
  'an actor token of a user': {
    body: BAD_TOKEN,
    reason: 'exchange_actor_no_client',
    run: async (scene) => await scene.exchange(await scene.logIn(), actor(await scene.logIn())),
  },
  'an actor token of the client in may_act, brought by another one that was sent it': {
    body: BAD_TOKEN,
    reason: 'exchange_actor_not_allowed',
    run: async (scene) => {
      const { token } = await scene.exchange(await scene.logIn(), { audience: 'ledger' })
      const ofNamed = actor(await scene.ownToken('orders'))
      const itself = await scene.exchange(token, ofNamed, 'orders')
      if (itself.status !== 200) throw new Error('the one that is named may not act')
      return await scene.exchange(token, ofNamed, 'courier')
    },
  },
  'an actor token of another one, brought by the client in may_act': {
    body: BAD_TOKEN,
    reason: 'exchange_actor_not_allowed',
    run: async (scene) => {
      const { token } = await scene.exchange(await scene.logIn(), { audience: 'ledger' })
      return await scene.exchange(token, actor(await scene.ownToken('gateway')), 'orders')
    },
  },
  'an actor token where nobody is named': {
    body: BAD_TOKEN,
    reason: 'exchange_actor_not_named',
    run: async (scene) => {
      const form = { audience: BILLING, ...actor(await scene.ownToken('gateway')) }
      return await scene.exchange(await scene.logIn(), form)
    },
  },
}

for (const store of ['postgresql', 'redis'] as const) {
  test(`a subject token that is not good, with families in ${store}`, async (t) => {
    await runAttacks(t, store, SUBJECTS)
  })
  test(`an actor token that is not good, with families in ${store}`, async (t) => {
    await runAttacks(t, store, ACTORS)
  })
}

test('to the second: a token that has expired is no subject, and the last second is one', async (t) => {
  let nowMs = Math.floor(Date.now() / 1000) * 1000
  const scene = await openExchangeScene(t, 'postgresql', { clock: () => nowMs })
  const token = await scene.logIn()
  nowMs += 599_999
  t.equal((await scene.exchange(token)).status, 200)
  nowMs += 1
  t.strictSame((await scene.exchange(token)).body, BAD_TOKEN)
  t.equal(scene.lastReason(), 'exchange_subject_inactive')
})
