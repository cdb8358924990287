// Who may call for a client whose tokens travel in cookies (docs/semantics.md §9): its own origins
// alone. A refused call changes nothing, neither in the store nor in the browser.

import { type Test, test } from 'tap'
import {
  type BrowserScene,
  FOREIGN,
  ORIGIN,
  openBrowserScene,
} from '../../scenes/browser-client-scene.ts'
import { logIn } from '../../support/app.ts'

/** Everything that is not the client's origin, however close. */
const STRANGERS = [
  undefined,
  'null',
  '',
  FOREIGN,
  'http://app.example.test',
  'https://app.example.test:8443',
  'https://app.example.test/',
  'https://APP.example.test',
  'https://sub.app.example.test',
  'https://app.example.test.evil.example',
  `${ORIGIN}, ${FOREIGN}`,
]

async function refuses(t: Test, scene: BrowserScene, answer: Response, reason: string) {
  t.equal(answer.status, 400, reason)
  t.match(await answer.json(), { error: 'invalid_request' })
  t.strictSame(answer.headers.getSetCookie(), [], 'nothing is set or cleared')
  t.equal(scene.app.log.findLast((line) => line.event === 'request.refused')?.reason, reason)
}

test('a refresh from a stranger is refused, and the session goes on', async (t) => {
  const scene = await openBrowserScene(t)
  const cookie = scene.cookieOf(await scene.logIn())
  for (const origin of STRANGERS) {
    await refuses(t, scene, await scene.refresh({ cookie, origin }), 'origin_not_allowed')
  }
  const forged = { cookie: `${scene.refreshName}=forged`, origin: FOREIGN }
  await refuses(t, scene, await scene.refresh(forged), 'origin_not_allowed')
  t.equal((await scene.refresh({ cookie })).status, 200)
  t.notOk(
    scene.app.log.some((line) => line.event === 'refresh.retried'),
    'it was never used',
  )
})

test('a stranger can log nobody in, and learns nothing of passwords', async (t) => {
  const scene = await openBrowserScene(t)
  for (const origin of STRANGERS) {
    await refuses(t, scene, await scene.logIn({ origin }), 'origin_not_allowed')
  }
  const wrong = { grant_type: 'password', username: 'nobody', password: 'not it at all' }
  const answer = await scene.post('/token', wrong, { origin: FOREIGN })
  await refuses(t, scene, answer, 'origin_not_allowed')
  t.notOk(
    scene.app.log.some((line) => /^login\./.test(line.event)),
    'no password was looked at',
  )
})

test('a stranger can log nobody out', async (t) => {
  const scene = await openBrowserScene(t)
  const login = await scene.logIn()
  const cookie = scene.cookieOf(login)
  const { access_token: token } = (await login.json()) as { access_token: string }
  for (const origin of STRANGERS) {
    await refuses(
      t,
      scene,
      await scene.post('/revoke', {}, { cookie, origin }),
      'origin_not_allowed',
    )
  }
  const byToken = await scene.post('/revoke', { token }, { origin: FOREIGN })
  await refuses(t, scene, byToken, 'origin_not_allowed')
  t.equal((await scene.refresh({ cookie })).status, 200)
  const me = { headers: { authorization: `Bearer ${token}` } }
  t.equal((await scene.app.fetch('/users/me', me)).status, 200)
})

test('the origin of another client of ours is a stranger too', async (t) => {
  const scene = await openBrowserScene(t)
  const origin = 'https://other-app.example.test'
  await scene.app.makeClient({ tokenDelivery: 'cookie', allowedOrigins: [origin] })
  await refuses(t, scene, await scene.logIn({ origin }), 'origin_not_allowed')
})

test('a refresh token in the body is refused, in the right hands too', async (t) => {
  const scene = await openBrowserScene(t)
  const cookie = scene.cookieOf(await scene.logIn())
  const token = cookie.slice(scene.refreshName.length + 1)
  const form = { grant_type: 'refresh_token', refresh_token: token }
  await refuses(t, scene, await scene.post('/token', form), 'token_in_body')
  await refuses(t, scene, await scene.post('/token', form, { cookie }), 'token_in_body')
  const revoke = await scene.post('/revoke', { token }, { cookie })
  await refuses(t, scene, revoke, 'token_in_body')
  const stranger = await scene.post('/token', form, { origin: FOREIGN })
  await refuses(t, scene, stranger, 'origin_not_allowed')
  t.equal((await scene.refresh({ cookie })).status, 200, 'it was never used')
})

test('two cookies of one name are refused, even the same one twice', async (t) => {
  const scene = await openBrowserScene(t)
  const cookie = scene.cookieOf(await scene.logIn())
  for (const second of [cookie, `${scene.refreshName}=`, `${scene.refreshName}=planted`]) {
    for (const pair of [`${cookie}; ${second}`, `${second};${cookie}`]) {
      await refuses(t, scene, await scene.refresh({ cookie: pair }), 'cookie_duplicate')
      await refuses(t, scene, await scene.post('/revoke', {}, { cookie: pair }), 'cookie_duplicate')
    }
  }
  t.equal((await scene.refresh({ cookie })).status, 200)
})

test('the order: parameters, client, grant, origin', async (t) => {
  const scene = await openBrowserScene(t)
  const cookie = scene.cookieOf(await scene.logIn())
  const reasonOf = async (form: Record<string, string>, sent: object = {}) => {
    const answer = await scene.post('/token', form, { cookie, origin: FOREIGN, ...sent })
    t.strictSame(answer.headers.getSetCookie(), [])
    return scene.app.log.findLast((line) => line.event === 'request.refused')?.reason
  }
  const refresh = { grant_type: 'refresh_token' }
  t.equal(await reasonOf({}), 'parameter_missing')
  t.equal(await reasonOf({ grant_type: 'saml' }), 'grant_type_unsupported')
  t.equal(await reasonOf(refresh, { cookie: undefined }), 'parameter_missing')
  const secret = { ...refresh, client_secret: 'none of its own' }
  t.equal(await reasonOf(secret), 'client_method_not_allowed')
  t.equal(await reasonOf({ grant_type: 'client_credentials' }), 'grant_type_not_allowed')
  t.equal(await reasonOf(refresh), 'origin_not_allowed')
  const unknown = { ...refresh, client_id: 'nobody-at-all' }
  t.equal(await reasonOf(unknown), 'parameter_missing', 'no cookie is that client’s')
})

test('/revoke: the cookie ends the family and is cleared with the access cookie', async (t) => {
  const scene = await openBrowserScene(t, { accessTokenCookie: true })
  const login = await scene.logIn()
  const { access_token: access } = (await login.json()) as { access_token: string }
  const cookie = scene.cookieOf(login)
  const sent = `${cookie}; ${scene.accessName}=${access}`
  const answer = await scene.post('/revoke', {}, { cookie: sent })
  t.equal(answer.status, 200)
  t.equal(await answer.text(), '')
  const cleared = answer.headers.getSetCookie()
  t.strictSame(
    cleared.map((line) => line.slice(0, line.indexOf(';'))),
    [`${scene.refreshName}=`, `${scene.accessName}=`],
  )
  t.ok(cleared.every((line) => line.includes('Max-Age=0;')))
  t.match(await (await scene.refresh({ cookie })).json(), { error: 'invalid_grant' })
  const me = { headers: { authorization: `Bearer ${access}` } }
  t.equal((await scene.app.fetch('/users/me', me)).status, 401)
})

test('/revoke with neither token nor cookie is 200 and clears nothing', async (t) => {
  const scene = await openBrowserScene(t)
  const answer = await scene.post('/revoke', {})
  t.equal(answer.status, 200)
  t.strictSame(answer.headers.getSetCookie(), [])
  await refuses(
    t,
    scene,
    await scene.post('/revoke', {}, { origin: FOREIGN }),
    'origin_not_allowed',
  )
  const stale = await scene.post('/revoke', {}, { cookie: `${scene.refreshName}=stale` })
  t.equal(stale.status, 200, '(C84)')
  t.equal(stale.headers.getSetCookie().length, 1)
})

test('/revoke with an access token in the body ends that token, and the session goes on', async (t) => {
  const scene = await openBrowserScene(t)
  const login = await scene.logIn()
  const cookie = scene.cookieOf(login)
  const { access_token: token } = (await login.json()) as { access_token: string }
  const answer = await scene.post('/revoke', { token }, { cookie })
  t.equal(answer.status, 200)
  t.strictSame(answer.headers.getSetCookie(), [])
  const me = { headers: { authorization: `Bearer ${token}` } }
  t.equal((await scene.app.fetch('/users/me', me)).status, 401)
  t.equal((await scene.refresh({ cookie })).status, 200)
})

test('a change of delivery or origins is in force at once', async (t) => {
  const scene = await openBrowserScene(t)
  const path = `/admin/clients/${scene.client.id}`
  const cookie = scene.cookieOf(await scene.logIn())
  await scene.app.admin('PATCH', path, { allowedOrigins: [FOREIGN] })
  await refuses(t, scene, await scene.refresh({ cookie }), 'origin_not_allowed')
  await scene.app.admin('PATCH', path, { tokenDelivery: 'body' })
  await refuses(t, scene, await scene.refresh({ cookie }), 'parameter_missing')
  t.match(await logIn(scene.app, scene.client, scene.user), { refresh_token: /^lrt_/ })
})
