// A Lineage and the Dovecots that ask it, and what they are shown.

import type { Test } from 'tap'
import { OTHER_AUDIENCE, type Scene, startScene } from '../../scenes/gateway-scene.ts'
import { logIn, type TokenAnswer } from '../../support/app.ts'
import { revokedToken, type Tokens } from '../gateways/tokens.ts'
import {
  type Changes,
  type Clients,
  type DovecotServer,
  deliver,
  findDovecot,
  startDovecot,
} from './dovecot-server.ts'
import { type Login, type LoginAnswer, logInto, type Mechanism } from './imap-login.ts'

export const program = findDovecot()

/** The letter of ada is there. */
export const LET_IN = { status: 'OK', letters: 1 }
export const REFUSED = { status: 'NO AUTHENTICATIONFAILED' }
export const UNAVAILABLE = { status: 'NO UNAVAILABLE', told: undefined }
export const PLAIN = { mechanism: 'PLAIN' } as const

const CHALLENGES = {
  XOAUTH2: { status: '401', schemes: 'bearer', scope: 'mail' },
  OAUTHBEARER: { status: 'invalid_token' },
} as const

export interface Setting {
  readonly scene: Scene
  readonly clients: Clients
  /** Where Dovecot asks. */
  readonly lineageUrl: string
  /** With a letter for ada. */
  start(t: Test, changes?: Changes): Promise<DovecotServer>
  /** A fresh token of ada's. */
  issue(): Promise<TokenAnswer>
}

export async function startSetting(t: Test): Promise<Setting> {
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
    clients,
    lineageUrl,
    async start(t, changes) {
      const options = { lineageUrl, audience: addresses.issuer, clients }
      const dovecot = await startDovecot(t, program, options, changes)
      deliver(dovecot, 'ada')
      return dovecot
    },
    issue: () => logIn(lineage, scene.clients.app, scene.user),
  }
}

/** As ada, unless it is told otherwise. */
export function show(
  { port }: DovecotServer,
  secret: string,
  others: Partial<Login> = {},
): Promise<LoginAnswer> {
  return logInto(port, { user: 'ada', secret, ...others })
}

/** What Lineage is asked meanwhile. */
export async function questions(
  { passage }: Scene,
  act: () => Promise<unknown>,
): Promise<string[]> {
  const before = passage.received.length
  await act()
  return passage.received.slice(before).map(({ method, url }) => `${method} ${url}`)
}

/** Of a user, for the API and another one. */
export async function tokenForTwo({ lineage, user, addresses }: Scene): Promise<string> {
  const { username, password } = user
  const body = new URLSearchParams({ grant_type: 'password', client_id: 'app', username, password })
  for (const resource of [OTHER_AUDIENCE, addresses.issuer]) body.append('resource', resource)
  const answer = await lineage.fetch('/token', { method: 'POST', body })
  return ((await answer.json()) as TokenAnswer).access_token
}

export async function checkTokens(
  t: Test,
  scene: Scene,
  dovecot: DovecotServer,
  { tokens, mechanism }: { tokens: Tokens; mechanism: Exclude<Mechanism, 'PLAIN'> },
): Promise<void> {
  const good = tokens.user.access_token
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
}

export async function checkPasswords(
  t: Test,
  scene: Scene,
  dovecot: DovecotServer,
  token: string,
): Promise<void> {
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
  for (const wrong of ['wrong', '', token]) t.match(await show(dovecot, wrong, PLAIN), REFUSED)
  t.match(await show(dovecot, password, { ...PLAIN, user: 'bob' }), REFUSED)
}
