// Dovecot, of Debian, lets people into their mail by Lineage's tokens, which it asks /introspect
// about, and by the passwords of Lineage's users: with the settings that docs/integrations.md shows,
// and what it does with others. As root, because Dovecot gives each of its processes a user.

import { type Test, test } from 'tap'
import { readTable } from '../integrations/documented.ts'
import { logIn, type TokenAnswer } from '../support/app.ts'
import { until } from '../support/until.ts'
import { OTHER_AUDIENCE, type Scene, startScene } from './gateways/scene.ts'
import { makeTokens, revokedToken } from './gateways/tokens.ts'
import {
  type Changes,
  type DovecotServer,
  deliver,
  findDovecot,
  PROGRAM,
  readVersion,
  startDovecot,
} from './programs/dovecot-server.ts'
import { type LoginAnswer, logInto, type Mechanism } from './programs/imap-login.ts'

const program = findDovecot()

const LET_IN = { status: 'OK', letters: 1 }
const REFUSED = { status: 'NO AUTHENTICATIONFAILED' }
const UNAVAILABLE = { status: 'NO UNAVAILABLE', told: undefined }
const CHALLENGES = {
  XOAUTH2: { status: '401', schemes: 'bearer', scope: 'mail' },
  OAUTHBEARER: { status: 'invalid_token' },
} as const

interface Setting {
  readonly scene: Scene
  /** With a letter for ada. */
  start(t: Test, changes?: Changes): Promise<DovecotServer>
}

async function startSetting(t: Test): Promise<Setting> {
  const scene = await startScene(t)
  const { lineage, passage, addresses } = scene
  const clients = {
    'mail-server': await lineage.makeClient({
      type: 'confidential',
      grantTypes: ['client_credentials'],
      scopes: ['lineage:introspect'],
    }),
    'mail-passwords': await lineage.makeClient({
      type: 'confidential',
      grantTypes: ['password'],
      scopes: ['notes:read'],
    }),
  }
  const lineageUrl = `http://127.0.0.1:${passage.port}`
  return {
    scene,
    async start(t, changes) {
      const options = { lineageUrl, audience: addresses.issuer, clients }
      const dovecot = await startDovecot(t, program, options, changes)
      deliver(dovecot, 'ada')
      return dovecot
    },
  }
}

/** As ada, unless it is told otherwise. */
function show(
  { port }: DovecotServer,
  secret: string,
  { user = 'ada', mechanism = 'XOAUTH2' }: { user?: string; mechanism?: Mechanism } = {},
): Promise<LoginAnswer> {
  return logInto(port, { user, secret, mechanism })
}

const PLAIN = { mechanism: 'PLAIN' } as const

/** What Lineage is asked meanwhile, by path. */
async function questions({ passage }: Scene, act: () => Promise<unknown>): Promise<string[]> {
  const before = passage.received.length
  await act()
  return passage.received.slice(before).map(({ method, url }) => `${method} ${url}`)
}

/** Of a user, for the API and another one. */
async function tokenForTwo({ lineage, user, addresses }: Scene): Promise<string> {
  const { username, password } = user
  const body = new URLSearchParams({ grant_type: 'password', client_id: 'app', username, password })
  for (const resource of [OTHER_AUDIENCE, addresses.issuer]) body.append('resource', resource)
  const answer = await lineage.fetch('/token', { method: 'POST', body })
  return ((await answer.json()) as TokenAnswer).access_token
}

test('Dovecot takes tokens and passwords as the document sets it up', async (t) => {
  const { scene, start } = await startSetting(t)
  const dovecot = await start(t)
  t.equal(readTable('Programs').get(PROGRAM)?.Version, readVersion(program))
  const tokens = await makeTokens(t, scene)
  const good = tokens.user.access_token
  for (const mechanism of ['XOAUTH2', 'OAUTHBEARER'] as const) {
    await t.test(mechanism, async (t) => {
      const refused = { ...REFUSED, told: CHALLENGES[mechanism] }
      t.match(await show(dovecot, good, { mechanism }), LET_IN)
      t.match(await show(dovecot, good, { mechanism, user: 'Ada' }), LET_IN, 'in lower case')
      t.match(await show(dovecot, good, { mechanism, user: 'bob' }), refused, 'of another user')
      const bad = {
        ...tokens.bad,
        'without the scope': tokens.scopeless,
        'for two audiences': await tokenForTwo(scene),
        revoked: await revokedToken(scene),
      }
      for (const [name, token] of Object.entries(bad)) {
        t.match(await show(dovecot, token, { mechanism }), refused, name)
      }
      t.match(await show(dovecot, tokens.client, { mechanism }), UNAVAILABLE, 'of a client')
    })
  }
  await t.test('PLAIN', async (t) => {
    const { password, id } = scene.user
    const sessions = async () => {
      const answer = await scene.lineage.admin('GET', `/admin/users/${id}/sessions`)
      return ((await answer.json()) as { items: unknown[] }).items.length
    }
    const before = await sessions()
    const asked = await questions(scene, async () => {
      t.match(await show(dovecot, password, PLAIN), LET_IN)
    })
    t.strictSame(asked, ['POST /token', 'POST /introspect'])
    t.equal(await sessions(), before + 1)
    t.match(await show(dovecot, password, { ...PLAIN, user: 'Ada' }), LET_IN)
    for (const wrong of ['wrong', '', good]) t.match(await show(dovecot, wrong, PLAIN), REFUSED)
    t.match(await show(dovecot, password, { ...PLAIN, user: 'bob' }), REFUSED)
  })
  t.notMatch(dovecot.log(), /Panic|Fatal/)
})

test('Dovecot and an empty password that nothing refuses', async (t) => {
  const { scene, start } = await startSetting(t)
  const dovecot = await start(t, { isUnguarded: true })
  t.match(await show(dovecot, scene.user.password, PLAIN), LET_IN)
  await show(dovecot, '', PLAIN).catch(() => undefined)
  await until('its end', () =>
    /service\(auth\): child \d+ killed with signal 6/.test(dovecot.log()),
  )
  t.match(dovecot.log(), /auth: Panic: file oauth2-request\.c/)
  t.match(await show(dovecot, scene.user.password, PLAIN), LET_IN, 'another one is started')
})

test('Dovecot and a Lineage that does not help', async (t) => {
  const { scene, start } = await startSetting(t)
  const { lineage, redis, user, clients } = scene
  const dovecot = await start(t)
  const { access_token: token } = await logIn(lineage, clients.app, user)
  const expectNothing = async (t: Test) => {
    t.match(await show(dovecot, token), UNAVAILABLE)
    t.match(await show(dovecot, user.password, PLAIN), UNAVAILABLE)
  }
  t.match(await show(dovecot, token), LET_IN)
  await redis.stop()
  await t.test('503', expectNothing)
  t.match(dovecot.log(), /Introspection failed: 503 /)
  lineage.signal('SIGSTOP')
  await t.test('no answer', expectNothing)
  t.match(dovecot.log(), /Absolute request timeout expired \(Request queued 5\./)
  lineage.signal('SIGKILL')
  await lineage.exited
  await t.test('not there', expectNothing)
})
