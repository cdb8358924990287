// Guessing at what is no login: client secrets (C29), the current password; whose address counts; and
// what the settings and a store that is away change.

import { test } from 'tap'
import { HOME, startGuessingScene, stranger, tell } from '../../scenes/guessing-scene.ts'
import { logIn } from '../../support/app.ts'

const times = (n: number, status: number) => Array<number>(n).fill(status)

for (const store of ['redis', 'postgresql'] as const) {
  test(`${store}: wrong client secrets are held up, and a right one never is`, async (t) => {
    const scene = await startGuessingScene(t, store)
    const { id, secret } = await scene.first.makeClient({
      type: 'confidential',
      grantTypes: ['client_credentials'],
    })
    for (const { service } of scene.instances) await service.clients.reload()
    const ask = async (clientId: string, clientSecret: string, path = '/token', ip = HOME) => {
      const form = { grant_type: 'client_credentials', token: 'x' }
      const client = { client_id: clientId, client_secret: clientSecret }
      return await tell(await scene.post(path, { ...form, ...client }, ip))
    }
    const told = new Map<string, string[]>()
    for (const clientId of [id, 'nobody']) {
      const answers = []
      const paths = ['/token', '/revoke', '/introspect']
      for (let n = 0; n < 12; n += 1) answers.push(await ask(clientId, `guess ${n}`, paths[n % 3]))
      t.same(
        answers.map(({ status }) => status),
        [...times(10, 401), 429, 429],
        clientId,
      )
      t.match(answers.at(-1), { error: 'temporarily_unavailable', retryAfter: 900 })
      told.set(
        clientId,
        answers.map(({ bytes }) => bytes),
      )
    }
    t.same(told.get('nobody'), told.get(id), 'an unknown client is answered alike')
    t.equal((await ask(id, secret)).status, 200)
    for (let n = 0; n < 60; n += 1) await ask(id, 'guess', '/token', stranger(n))
    t.equal((await ask(id, 'guess', '/token', stranger(99))).status, 429)
    t.equal((await ask(id, secret, '/token', stranger(99))).status, 200)
  })

  test(`${store}: wrong current passwords are held up`, async (t) => {
    const scene = await startGuessingScene(t, store)
    const audience = scene.first.service.config.issuer
    const client = await scene.first.makeClient({ audiences: [audience] })
    const user = await scene.first.makeUser()
    const { access_token: token } = await logIn(scene.first, client, user)
    const change = async (currentPassword: string) => {
      const answer = await scene.first.fetch('/users/me/password', {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ currentPassword, newPassword: 'a fresh and longer one' }),
      })
      return answer.status
    }
    const told = []
    for (let n = 0; n < 11; n += 1) told.push(await change(`guess ${n}`))
    t.same(told, [...times(10, 403), 429])
    t.equal(await change(user.password), 429)
    t.equal((await scene.logIn(user.username, user.password, HOME)).status, 200)
  })
}

test('an application that renders on its server says who its visitor is', async (t) => {
  const scene = await startGuessingScene(t, 'postgresql')
  const make = (forwardsClientIp: boolean) =>
    scene.first.makeClient({ type: 'confidential', grantTypes: ['password'], forwardsClientIp })
  const [forwards, keeps] = [await make(true), await make(false)]
  for (const { service } of scene.instances) await service.clients.reload()
  const user = await scene.first.makeUser()
  const logInBy = async (client: typeof forwards, password: string, visitor: string) => {
    const login = { grant_type: 'password', username: user.username, password }
    const proof = { client_id: client.id, client_secret: client.secret }
    const headers = { 'lineage-client-ip': visitor }
    return (await scene.post('/token', { ...login, ...proof }, stranger(1), headers)).status
  }
  for (let n = 0; n < 10; n += 1) t.equal(await logInBy(forwards, 'wrong', HOME), 400)
  t.equal(await logInBy(forwards, user.password, HOME), 429, 'this visitor waits')
  t.equal(await logInBy(forwards, user.password, stranger(2)), 200, 'another one does not')
  for (let n = 0; n < 10; n += 1) await logInBy(keeps, 'wrong', stranger(3 + n))
  t.equal(await logInBy(keeps, user.password, stranger(20)), 429, 'nobody else may say so')
})

test('LINEAGE_THROTTLE=off lets guess; LINEAGE_THROTTLE_EXEMPT lets some networks', async (t) => {
  const off = await startGuessingScene(t, 'postgresql', { throttle: 'off' })
  for (let n = 0; n < 12; n += 1) t.equal((await off.logIn('alice', 'no', HOME)).status, 400)
  const some = await startGuessingScene(t, 'postgresql', { throttleExempt: ['192.0.2.0/24'] })
  for (let n = 0; n < 12; n += 1) t.equal((await some.logIn('alice', 'no', HOME)).status, 400)
  for (let n = 0; n < 10; n += 1) await some.logIn('alice', 'no', stranger(1))
  t.equal((await some.logIn('alice', 'no', stranger(1))).status, 429)
})

test('while Redis is away each instance goes on counting, and adds no 503', async (t) => {
  const scene = await startGuessingScene(t, 'redis')
  const user = await scene.first.makeUser()
  for (let n = 0; n < 6; n += 1) await scene.logIn(user.username, 'no', HOME)
  await scene.redis?.stop()
  const told: number[] = []
  for (let n = 0; n < 20; n += 1) told.push((await scene.logIn(user.username, 'no', HOME)).status)
  // Each of the two has seen three of the six.
  t.same(told.filter((status) => status === 400).length, 14)
  t.same(told.slice(14), times(6, 429))
  await scene.redis?.start()
  t.equal((await scene.logIn(user.username, user.password, HOME)).status, 429)
})
