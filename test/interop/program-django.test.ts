// django-oauth-toolkit, of Debian, as a resource server that asks /introspect: with the settings that
// docs/integrations.md shows, and what it does without them.

import { type Test, test } from 'tap'
import type { Scene } from '../scenes/gateway-scene.ts'
import { logIn } from '../support/app.ts'
import { readTable } from '../support/documented.ts'
import { until } from '../support/until.ts'
import { send } from './gateways/raw-request.ts'
import { briefToken, clientToken, makeTokens, outlive, revokedToken } from './gateways/tokens.ts'
import {
  checkBad,
  checkGood,
  countQuestions,
  type Setting,
  show,
  startSetting,
  startWideSetting,
  VIEWS,
  widenTokens,
} from './programs/django-checks.ts'
import { type DjangoProject, OWN_VALIDATOR } from './programs/django-project.ts'

const LINE = 'django-oauth-toolkit (Python)'
/** Longer than any test takes. */
const LONG_CACHING = { RESOURCE_SERVER_TOKEN_CACHING_SECONDS: 3_600 }
/** The document caches for 10 s. */
const CACHING_TIMEOUT_MS = 60_000

test('django-oauth-toolkit takes tokens as the document sets it up', async (t) => {
  const { scene, start, query } = await startWideSetting(t)
  const project = await start(t)
  t.equal(readTable('Programs').get(LINE)?.Version, project.version)
  const tokens = await makeTokens(t, scene)
  await t.test('a good token passes, a user by name, a client as nobody', (t) =>
    checkGood(t, project, tokens),
  )
  await t.test('whatever else comes is refused', (t) => checkBad(t, project, tokens))
  await t.test('requests with a new user side by side all pass', async (t) => {
    const { lineage, clients } = scene
    const { access_token: token } = await logIn(lineage, clients.app, await lineage.makeUser())
    const shown = await Promise.all(Array.from({ length: 8 }, () => show(project, token)))
    t.strictSame(
      shown.map(({ status }) => status),
      Array.from({ length: 8 }, () => 200),
    )
  })
  await t.test('a revoked token passes while it is cached, however busy it is', async (t) => {
    const { access_token: token, refresh_token } = await logIn(
      scene.lineage,
      scene.clients.app,
      scene.user,
    )
    const questions = await countQuestions(scene, async () => {
      t.match(await show(project, token), { status: 200 })
      await scene.lineage.form('/revoke', { token: refresh_token, client_id: 'app' })
      const isRefused = async () => (await show(project, token)).status === 403
      await until('a refusal', isRefused, CACHING_TIMEOUT_MS)
    })
    t.equal(questions, 2, 'at first and when the time was over')
    const row = `FROM oauth2_provider_accesstoken WHERE token = '${token}'`
    t.strictSame(await query(`SELECT expires <= now() AS over ${row}`), [{ over: true }])
    t.match(await show(project, await revokedToken(scene)), { status: 403 })
    await start(t, { commands: ['cleartokens'] })
    t.strictSame(await query(`SELECT token ${row}`), [], 'cleartokens removes it')
  })
})

test('django-oauth-toolkit cannot keep a token in PostgreSQL as it comes', async (t) => {
  const setting = await startSetting(t)
  const project = await setting.start(t)
  const token = await clientToken(setting.scene)
  t.ok(token.length > 255)
  t.match(await show(project, token), { status: 500 })
  t.match(project.log(), /value too long for type character varying\(255\)/)
  t.match(await show(project, 'garbage'), { status: 403 })
  await widenTokens(setting)
  t.match(await show(project, token), { status: 200 })
  const database = { ENGINE: 'django.db.backends.sqlite3', NAME: 'db.sqlite3' }
  const onSqlite = await setting.start(t, { database, commands: ['migrate'] })
  t.match(await show(onSqlite, token), { status: 200 }, 'SQLite does not count')
})

test('django-oauth-toolkit with its own validator', async (t) => {
  const { scene, start } = await startWideSetting(t)
  const { lineage, clients } = scene
  const provider = { ...OWN_VALIDATOR, ...LONG_CACHING }
  await t.test('it takes tokens for whatever audience', async (t) => {
    const project = await start(t, { provider })
    const { 'for another audience': token } = (await makeTokens(t, scene)).bad
    for (const path of ['/decorated', '/class', '/rest']) {
      t.match(await show(project, token, path), { status: 200 }, path)
    }
  })
  await t.test('it takes refresh tokens of the client that asks', async (t) => {
    const both = await lineage.makeClient({
      type: 'confidential',
      scopes: ['notes:read', 'lineage:introspect'],
      defaultScopes: ['notes:read'],
    })
    const { refresh_token: token } = await logIn(lineage, both, scene.user)
    t.match(await show(await start(t, { provider }, both), token), { status: 200 })
    t.match(await show(await start(t, { provider: LONG_CACHING }, both), token), { status: 403 })
  })
  await t.test('it sees nothing of the tokens of others without the scope', async (t) => {
    const { access_token: token } = await logIn(lineage, clients.app, scene.user)
    const blind = await start(t, { provider }, clients.service)
    t.match(await show(blind, token), { status: 403 })
    t.match(await show(blind, await clientToken(scene)), { status: 200 }, 'its own')
  })
  await t.test('a user is the account of that name, whatever it may', async (t) => {
    const users = [
      { username: 'root', is_superuser: true },
      { username: 'sleeper', is_active: false },
    ]
    const project = await start(t, { provider, users })
    for (const { username, ...rights } of users) {
      const user = await lineage.makeUser({ username })
      const { access_token: token } = await logIn(lineage, clients.app, user)
      const isSuperuser = rights.is_superuser ?? false
      const isActive = rights.is_active ?? true
      const expected = { status: 200, user: { name: username, isSuperuser, isActive } }
      t.match(await show(project, token), expected, username)
      t.match(await show(project, token, '/middleware'), expected, username)
    }
  })
  await t.test('a token may stand in the query, and OPTIONS needs none', async (t) => {
    const project = await start(t, { provider })
    const { access_token: token } = await logIn(lineage, clients.app, scene.user)
    t.match(await show(project, undefined, `/class?access_token=${token}`), { status: 200 })
    t.match(await show(project, undefined, '/class', 'OPTIONS'), { status: 200 })
    t.match(await show(project, undefined, '/decorated', 'OPTIONS'), { status: 403 })
  })
  await t.test('rw_protected_resource demands what it ever demanded', async (t) => {
    const project = await start(t, { provider })
    const reading = await clientToken(scene)
    const writing = await clientToken(scene, 'notes:read notes:write')
    const statuses = async (path: string) => [
      (await show(project, reading, path)).status,
      (await show(project, reading, path, 'POST')).status,
      (await show(project, writing, path, 'POST')).status,
      (await show(project, reading, path)).status,
    ]
    t.strictSame(await statuses('/read-write-class'), [200, 403, 200, 200])
    t.strictSame(await statuses('/read-write-decorated'), [200, 403, 200, 403])
  })
})

/** How each zone reads `exp`, with the database in common. */
async function checkZones(t: Test, { scene, start }: Setting, useTz: boolean): Promise<void> {
  const provider = { ...OWN_VALIDATOR, ...LONG_CACHING }
  const west = { timeZone: 'America/New_York', useTz }
  const [inGreenwich, inNewYork, checkedThere, inTokyo] = [
    await start(t, { provider, useTz }),
    await start(t, { provider, ...west }),
    await start(t, { provider: LONG_CACHING, ...west }),
    await start(t, { provider, timeZone: 'Asia/Tokyo', useTz }),
  ]
  const tokens = [await shownInTime(scene, inGreenwich), await shownInTime(scene, inNewYork)]
  for (const token of tokens) await outlive(token)
  const [ended = '', endless = ''] = tokens
  t.match(await show(inGreenwich, ended), { status: 403 })
  t.match(await show(inNewYork, endless), { status: 200 }, 'west: after exp')
  t.match(await show(checkedThere, endless), { status: 403 }, 'but for the validator')

  const { access_token: good } = await logIn(scene.lineage, scene.clients.app, scene.user)
  const inTheEast = async () => t.match(await show(inTokyo, good), { status: 403 }, 'east: never')
  t.equal(await countQuestions(scene, inTheEast), 1)
  t.match(await show(inGreenwich, good), { status: 200 }, 'though it is good')
  t.match(await show(checkedThere, good), { status: 200 })
}

/** A token that has passed while it was good, and soon is not. */
function shownInTime(scene: Scene, project: DjangoProject): Promise<string> {
  return until('a token that was shown in time', async () => {
    const token = await briefToken(scene)
    return (await show(project, token)).status === 200 && token
  })
}

test('django-oauth-toolkit and the life of a token', async (t) => {
  const setting = await startWideSetting(t)
  const { scene, start } = setting
  const { lineage, clients, user } = scene
  await t.test('exp is understood in UTC alone', (t) => checkZones(t, setting, true))
  await t.test('also without USE_TZ', (t) => checkZones(t, setting, false))
  await t.test('a cached token passes without a question, a revoked one, too', async (t) => {
    const project = await start(t, { provider: LONG_CACHING })
    const { access_token: token, refresh_token } = await logIn(lineage, clients.app, user)
    t.equal(await countQuestions(scene, () => show(project, token)), 1)
    await lineage.form('/revoke', { token: refresh_token, client_id: 'app' })
    const again = async () => t.match(await show(project, token), { status: 200 })
    t.equal(await countQuestions(scene, again), 0)
  })
  await t.test('caching for 0 s refuses everybody', async (t) => {
    const project = await start(t, { provider: { RESOURCE_SERVER_TOKEN_CACHING_SECONDS: 0 } })
    t.match(await show(project, await clientToken(scene)), { status: 403 })
  })
})

test('django-oauth-toolkit and a Lineage that does not help', async (t) => {
  const { scene, start } = await startWideSetting(t)
  const { lineage, redis } = scene
  const project = await start(t, { provider: LONG_CACHING })
  const cached = await clientToken(scene)
  t.match(await show(project, cached), { status: 200 })
  const { access_token: token } = await logIn(lineage, scene.clients.app, scene.user)
  const expectRefusal = async () => {
    for (const path of VIEWS) {
      t.match(await show(project, token, path), { status: path === '/rest' ? 401 : 403 }, path)
    }
    t.match(await show(project, cached), { status: 200 }, 'what is cached passes')
  }
  await t.test('RESOURCE_SERVER_AUTH_TOKEN is no use', async (t) => {
    const RESOURCE_SERVER_AUTH_TOKEN = await clientToken(scene)
    const bearing = await start(t, { provider: { RESOURCE_SERVER_AUTH_TOKEN } })
    t.match(await show(bearing, token), { status: 403 })
    t.match(bearing.log(), /Status code: 401/)
  })
  await redis.stop()
  await t.test('a 503 is a 403', expectRefusal)
  t.match(project.log(), /Status code: 503/)
  lineage.signal('SIGSTOP')
  const { length } = scene.passage.received
  const waiting = show(project, token)
  await until('a question', () => scene.passage.received.length > length)
  t.equal((await send(project.port, { path: '/open' })).status, 200, 'others are answered')
  const silent = Symbol('no answer yet')
  t.equal(await Promise.race([waiting, silent]), silent)
  lineage.signal('SIGKILL')
  await lineage.exited
  t.match(await waiting, { status: 403 }, 'once the connection has ended')
  await t.test('and without Lineage', expectRefusal)
})
