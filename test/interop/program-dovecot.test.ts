// Dovecot, of Debian, lets people into their mail by Lineage's tokens, which it asks /introspect
// about, and by the passwords of Lineage's users: with the settings that docs/integrations.md shows,
// and what it does with others. As root, because Dovecot gives each of its processes a user.

import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { type Test, test } from 'tap'
import { makeKeyPairSync } from '../../src/runtime/key-pair.ts'
import { logIn } from '../support/app.ts'
import { readTable } from '../support/documented.ts'
import { startLineage } from '../support/lineage-process.ts'
import { makeServerDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { makeTokens, readClaims, readHeader } from './gateways/tokens.ts'
import {
  checkPasswords,
  checkTokens,
  LET_IN,
  PLAIN,
  program,
  questions,
  REFUSED,
  show,
  startSetting,
  tokenForTwo,
  UNAVAILABLE,
} from './programs/dovecot-checks.ts'
import { PROGRAM, readVersion } from './programs/dovecot-server.ts'

/** Outside of what Dovecot knows of itself. */
const FAR_AWAY = '2001:db8::1'

test('Dovecot takes tokens and passwords as the document sets it up', async (t) => {
  const { scene, start } = await startSetting(t)
  const dovecot = await start(t)
  t.equal(readTable('Programs').get(PROGRAM)?.Version, readVersion(program))
  const tokens = await makeTokens(t, scene)
  for (const mechanism of ['XOAUTH2', 'OAUTHBEARER'] as const) {
    await t.test(mechanism, (t) => checkTokens(t, scene, dovecot, { tokens, mechanism }))
  }
  await t.test('PLAIN', (t) => checkPasswords(t, scene, dovecot, tokens.user.access_token))
  t.notMatch(dovecot.log(), /Panic|Fatal/)
})

test('Dovecot and the end of what it has let in', async (t) => {
  const { scene, start, issue } = await startSetting(t)
  const { lineage, user } = scene
  const revoke = (token: string) => lineage.form('/revoke', { token, client_id: 'app' })
  await t.test('who is in stays in', async (t) => {
    const { access_token: token, refresh_token } = await issue()
    const dovecot = await start(t)
    t.match(await show(dovecot, token, { meanwhile: () => revoke(refresh_token) }), LET_IN)
    t.match(await show(dovecot, token), REFUSED)
  })
  await t.test('with a cache they come in again', async (t) => {
    const dovecot = await start(t, { main: 'auth_cache_size = 1M' })
    const { access_token: token, refresh_token } = await issue()
    t.match(await show(dovecot, token), LET_IN)
    t.match(await show(dovecot, user.password, PLAIN), LET_IN)
    await revoke(refresh_token)
    const password = 'another battery staple'
    t.ok((await lineage.admin('PUT', `/admin/users/${user.id}/password`, { password })).ok)
    const asked = await questions(scene, async () => {
      t.match(await show(dovecot, token), LET_IN)
      t.match(await show(dovecot, user.password, PLAIN), LET_IN)
    })
    t.strictSame(asked, [], 'without a question')
    const uncached = await start(t)
    t.match(await show(uncached, user.password, PLAIN), REFUSED)
    t.match(await show(uncached, password, PLAIN), LET_IN)
  })
})

test('Dovecot and names', async (t) => {
  const { scene, start } = await startSetting(t)
  const { lineage, clients } = scene
  const zoe = await lineage.makeUser({ username: 'zoë', email: 'zoe@example.test' })
  const { access_token: token } = await logIn(lineage, clients.app, zoe)
  const asZoe = { user: 'zoë' }
  const dovecot = await start(t)
  t.match(await show(dovecot, token, asZoe), REFUSED)
  await dovecot.logged(/Username character disallowed by auth_username_chars/)
  t.match(await show(dovecot, zoe.password, { ...PLAIN, user: 'zoe@example.test' }), REFUSED)
  await dovecot.logged(/Username 'zoe@example.test' did not match 'zoë'/)
  const bob = await lineage.makeUser({ username: 'Bob' })
  const { access_token: bobs } = await logIn(lineage, clients.app, bob)
  t.match(await show(dovecot, bobs, { user: 'bob' }), { status: 'OK' }, 'in lower case, both')
  const lenient = await start(t, { main: 'auth_username_chars =' })
  t.match(await show(lenient, token, asZoe), { status: 'OK' })

  const local = await start(t, { main: 'auth_username_format = %Ln' })
  const { access_token: adas } = await logIn(lineage, clients.app, scene.user)
  const byAddress = { user: 'ada@mail.example.test' }
  t.match(await show(local, adas, byAddress), LET_IN)
  t.match(await show(local, scene.user.password, { ...PLAIN, ...byAddress }), LET_IN)
  t.match(await show(dovecot, adas, byAddress), REFUSED)
})

test('Dovecot and the audience', async (t) => {
  const { scene, start, issue } = await startSetting(t)
  const { access_token: good } = await issue()
  const { 'for another audience': elsewhere = '' } = (await makeTokens(t, scene)).bad
  const careless = await start(t, { tokens: 'pass_attrs =' })
  t.match(await show(careless, elsewhere), LET_IN)
  t.match(await show(careless, await tokenForTwo(scene)), LET_IN)
  const behindWebmail = await start(t, { main: 'login_trusted_networks = 127.0.0.1' })
  t.match(await show(behindWebmail, good, { from: FAR_AWAY }), LET_IN)
  t.match(await show(behindWebmail, elsewhere, { from: FAR_AWAY }), REFUSED)
  await behindWebmail.logged(new RegExp(`allow_nets check failed: IP ${FAR_AWAY} `))
  await t.test('Lineage sees where Dovecot is, not where people are', async (t) => {
    const { lineage } = scene
    t.match(await show(behindWebmail, 'wrong', { ...PLAIN, from: FAR_AWAY }), REFUSED)
    const [event] = await until('its event', async () => {
      const answer = await lineage.admin('GET', '/admin/events?type=login.failed')
      const { items } = (await answer.json()) as { items: { ip?: string }[] }
      return items.length > 0 && items
    })
    t.equal(event?.ip, '127.0.0.1')
  })
  const demanding = await start(t, { tokens: 'scope = notes:read notes:write' })
  t.match(await show(demanding, good), REFUSED)
  const { lineage, clients, user } = scene
  const both = await logIn(lineage, clients.app, user, { scope: 'notes:read notes:write' })
  t.match(await show(demanding, both.access_token), LET_IN)
})

test('Dovecot and how it asks', async (t) => {
  const { start, issue, clients, lineageUrl } = await startSetting(t)
  const { access_token: token } = await issue()
  const { id, secret } = clients['mail-server']
  const url = `introspection_url = ${lineageUrl.replace('//', `//${id}:${secret}@`)}/introspect`
  const byUrl = await start(t, { tokens: `${url}\nclient_id =\nclient_secret =` })
  t.match(await show(byUrl, token), LET_IN)
  for (const tokens of [
    url,
    'client_secret = wrong',
    'introspection_mode = auth',
    'introspection_mode = get',
  ]) {
    const dovecot = await start(t, { tokens })
    t.match(await show(dovecot, token), UNAVAILABLE, tokens)
    await dovecot.logged(/Introspection failed: No username returned/)
  }
})

test('Dovecot and a token that it verifies by itself', async (t) => {
  const { scene, start, issue } = await startSetting(t)
  const dir = makeServerDir()
  const putKey = (alg: string, kid: string, key: KeyObject) => {
    const folder = join(dir, 'default', alg)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, kid), key.export({ type: 'spki', format: 'pem' }))
  }
  const { access_token: token } = await issue()
  const { alg, kid = '' } = readHeader(token)
  const answer = await scene.lineage.fetch('/.well-known/jwks.json')
  const { keys } = (await answer.json()) as { keys: (JsonWebKey & { kid: string })[] }
  const jwk = keys.find((key) => key.kid === kid) ?? {}
  putKey(alg, kid, createPublicKey({ key: jwk, format: 'jwk' }))
  // Whose tokens are Lineage's but for the key, and for `typ` where that is another.
  const signers = {
    ES256: makeKeyPairSync('ec', { namedCurve: 'P-256' }),
    RS256: makeKeyPairSync('rsa', { modulusLength: 2048 }),
    PS256: makeKeyPairSync('rsa', { modulusLength: 2048 }),
  }
  for (const [alg, { publicKey }] of Object.entries(signers)) putKey(alg, 'own', publicKey)
  const { issuer } = scene.addresses
  const dovecot = await start(t, {
    tokens: `introspection_mode = local
local_validation_key_dict = fs:posix:prefix=${dir}/
issuers = ${issuer}
client_id = ${issuer}
username_attribute = sub
`,
  })
  const claims = readClaims(token)
  const asSub = { user: claims.sub }
  t.match(await show(dovecot, token, asSub), REFUSED)
  await dovecot.logged(/Local validation failed: Cannot find 'typ' field/)
  for (const [alg, { privateKey }] of Object.entries(signers)) {
    const sign = (typ: string) =>
      new SignJWT(claims).setProtectedHeader({ alg, typ, kid: 'own' }).sign(privateKey)
    t.match(await show(dovecot, await sign('at+jwt'), asSub), REFUSED, alg)
    t.match(await show(dovecot, await sign('JWT'), asSub), { status: 'OK' }, `${alg}, but for typ`)
  }
})

test('Dovecot and an empty password that nothing refuses', async (t) => {
  const { scene, start, issue } = await startSetting(t)
  const { lineage, passage, user } = scene
  const dovecot = await start(t, { isUnguarded: true })
  const { access_token: token } = await issue()
  t.match(await show(dovecot, token), LET_IN)
  lineage.signal('SIGSTOP')
  const { length } = passage.received
  const underWay = show(dovecot, token)
  await until('its question', () => passage.received.length > length)
  await show(dovecot, '', PLAIN).catch(() => undefined)
  await dovecot.logged(/auth: Panic: file oauth2-request\.c/)
  await dovecot.logged(/service\(auth\): child \d+ killed with signal 6/)
  t.match(await underWay, REFUSED, 'with the logins that are under way')
  lineage.signal('SIGCONT')
  t.match(await show(dovecot, user.password, PLAIN), LET_IN, 'another one is started')
})

test('Dovecot and a Lineage that does not help', async (t) => {
  const { scene, start, issue } = await startSetting(t)
  const { lineage, redis, user } = scene
  const brief = 'timeout_msecs = 5000'
  const dovecot = await start(t, { tokens: brief, passwords: brief })
  const patient = await start(t, { tokens: 'timeout_msecs = 0' })
  const { access_token: token } = await issue()
  const expectNothing = async (t: Test) => {
    t.match(await show(dovecot, token), UNAVAILABLE)
    t.match(await show(dovecot, user.password, PLAIN), UNAVAILABLE)
  }
  t.match(await show(dovecot, token), LET_IN)
  await redis.stop()
  await t.test('503', expectNothing)
  await dovecot.logged(/Introspection failed: 503 /)
  lineage.signal('SIGSTOP')
  const waiting = show(patient, token)
  await t.test('no answer', expectNothing)
  const [, seconds] = await dovecot.logged(/Absolute request timeout .* queued (\d+)\./)
  t.ok(Number(seconds) >= 5)
  t.match(await waiting, UNAVAILABLE)
  const [, longer] = await patient.logged(/Request timed out .* queued (\d+)\./)
  t.ok(Number(longer) >= 60)
  lineage.signal('SIGKILL')
  await lineage.exited
  await t.test('not there', expectNothing)
  const { REDIS_URL: _, ...env } = scene.env
  await startLineage(t, env)
  t.match(await show(dovecot, user.password, PLAIN), LET_IN, 'once it is there again')
})
