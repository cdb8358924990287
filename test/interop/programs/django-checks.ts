// What django-notes.py is shown, and what it makes of it.

import type { Test } from 'tap'
import { type Scene, type SceneClient, startScene } from '../../scenes/gateway-scene.ts'
import { readBlocks } from '../../support/documented.ts'
import { runAsAdmin } from '../../support/postgres.ts'
import { bearer, type Headers, send } from '../gateways/raw-request.ts'
import type { Tokens } from '../gateways/tokens.ts'
import {
  type Changes,
  type DjangoProject,
  findPython,
  openDjangoDatabase,
  PROGRAM,
  startDjango,
} from './django-project.ts'

const python = findPython()

/** The views that demand `notes:read`, each protected in another way. */
export const VIEWS = ['/decorated', '/decorated-checked', '/class', '/read-write-class', '/rest']

export interface Setting {
  readonly scene: Scene
  readonly databaseUrl: string
  /** All of them share the database; asks Lineage as `introspector`, or as a client of its own. */
  start(t: Test, changes?: Changes, introspector?: SceneClient): Promise<DjangoProject>
  /** Rows of a statement, which is run in Django's database. */
  query(sql: string): Promise<unknown[]>
}

/** With tables that Django has made; tokens do not fit before `widenTokens`. */
export async function startSetting(t: Test): Promise<Setting> {
  const scene = await startScene(t)
  const own = await scene.lineage.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['lineage:introspect'],
  })
  const database = await openDjangoDatabase(t)
  const setting: Setting = {
    scene,
    databaseUrl: database.url,
    start: (t, changes, introspector = own) =>
      startDjango(t, { python, scene, introspector, database: database.settings }, changes),
    query: (sql) => runAsAdmin(database.url, sql),
  }
  await setting.start(t, { commands: ['migrate'] })
  return setting
}

/** With the column of tokens as the document says. */
export async function startWideSetting(t: Test): Promise<Setting> {
  const setting = await startSetting(t)
  await widenTokens(setting)
  return setting
}

export async function widenTokens({ query }: Setting): Promise<void> {
  const [statement = ''] = readBlocks(PROGRAM, 'sql')
  await query(statement)
}

export interface Shown {
  readonly status: number
  readonly challenges: readonly string[]
  readonly body: string
  /** Whom it takes for the one who asks. */
  readonly user: unknown
}

export async function show(
  { port }: DjangoProject,
  token: string | undefined,
  path = '/class',
  method = 'GET',
): Promise<Shown> {
  const headers: Headers = token === undefined ? [] : bearer(token)
  const { status, body, all } = await send(port, { method, path, headers })
  const user = status === 200 && body !== '' ? JSON.parse(body).user : undefined
  return { status, body, user, challenges: all('www-authenticate') }
}

/** How often Lineage is asked about tokens meanwhile. */
export async function countQuestions(
  { passage }: Scene,
  act: () => Promise<unknown>,
): Promise<number> {
  const before = passage.received.length
  await act()
  const asked = passage.received.slice(before)
  const others = asked.filter(({ method, url }) => `${method} ${url}` !== 'POST /introspect')
  if (others.length > 0) throw new Error(`asked for something else: ${others[0]?.url}`)
  return asked.length
}

const ADA = { name: 'ada', isSuperuser: false, isActive: true, hasPassword: false }

export async function checkGood(t: Test, project: DjangoProject, tokens: Tokens): Promise<void> {
  for (const path of VIEWS) {
    const user = tokens.user.access_token
    t.match(await show(project, user, path), { status: 200, user: ADA }, path)
    t.match(await show(project, tokens.forTwo, path), { status: 200, user: null }, path)
    t.match(await show(project, tokens.client, path), { status: 200, user: null }, path)
  }
  t.match(await show(project, tokens.user.access_token, '/middleware'), { user: ADA })
  t.match(await show(project, tokens.client, '/middleware'), { status: 200, user: null })
  t.match(await show(project, tokens.user.access_token, '/rest-user'), { user: ADA })
  t.match(await show(project, tokens.client, '/rest-user'), { status: 403 })
}

/** The views of django-oauth-toolkit say 403 whatever it is, those of REST framework 401. */
export async function checkBad(t: Test, project: DjangoProject, tokens: Tokens): Promise<void> {
  const { 'for another audience': elsewhere, ...bad } = tokens.bad
  const forbidden = { status: 403, body: '', challenges: [] }
  for (const path of VIEWS.filter((path) => path !== '/rest')) {
    const refused = { ...bad, none: undefined, scopeless: tokens.scopeless }
    for (const [name, token] of Object.entries(refused)) {
      t.match(await show(project, token, path), forbidden, `${name}: ${path}`)
    }
  }
  for (const [name, token] of Object.entries({ ...tokens.bad, none: undefined })) {
    const { status, challenges } = await show(project, token, '/rest')
    t.equal(status, 401, name)
    t.match(challenges, [/^Bearer realm="api"/], name)
  }
  t.match((await show(project, tokens.bad.garbage, '/rest')).challenges, [/error="invalid_token"/])
  t.match(await show(project, tokens.scopeless, '/rest'), { status: 403, challenges: [] })
  for (const path of ['/class', '/read-write-class', '/decorated-checked']) {
    t.match(await show(project, elsewhere, path), forbidden, path)
  }
  // A decorator has a validator of its own.
  t.match(await show(project, elsewhere, '/decorated'), { status: 200 })
  for (const token of [undefined, tokens.bad.garbage]) {
    t.match(await show(project, token, '/middleware'), { status: 200, user: null })
  }
}
