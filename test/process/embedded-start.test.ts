// The one command of the README as a real process: embedded mode from an empty directory to its
// end, and again after a clean stop and after a kill (docs/semantics.md §19).

import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Test, test } from 'tap'
import type { DemoData } from '../../src/embedded/demo-data.ts'
import { logIn, type TokenAnswer } from '../support/app.ts'
import { makeDataDir } from '../support/embedded-data-dir.ts'
import {
  type LineageProcess,
  refresh,
  spawnLineage,
  startLineage,
} from '../support/lineage-process.ts'
import { until } from '../support/until.ts'

const NO_CURL =
  spawnSync('curl', ['--version']).status === 0 ? false : 'curl is not on this machine'

test('embedded mode: a start, a clean stop, a start, a kill, a start', async (t) => {
  const dir = makeDataDir(t)
  const first = await startLineage(t, { LINEAGE_DATA_DIR: dir.path })
  const env = { LINEAGE_DATA_DIR: dir.path, PORT: String(first.port) }
  await first.logged('service.started')
  const demo = readDemo(dir.path)

  await t.test('writes demo.json for its owner alone, with the documented members', async (t) => {
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)
    t.equal(mode(dir.path), '700')
    t.equal(mode(join(dir.path, 'demo.json')), '600')
    t.match(demo, {
      issuer: `http://localhost:${first.port}`,
      user: { username: String, password: /^\S{12,}$/ },
      publicClient: { id: String },
      confidentialClient: { id: String, secret: /^\S{32,}$/ },
      adminClient: { id: String, secret: /^\S{32,}$/ },
    })
    const members = ['issuer', 'user', 'publicClient', 'confidentialClient', 'adminClient']
    t.strictSame(Object.keys(demo), members)
    t.strictSame(first.stderr, [])
  })

  await t.test('its curl lines work as pasted', { skip: NO_CURL }, (t) => checkCurlLines(t, first))

  await t.test('the admin client may use /admin', async (t) => {
    const { items } = (await (await askAdmin(first, demo, '/admin/clients')).json()) as {
      items: { id: string }[]
    }
    const ids = [demo.publicClient.id, demo.confidentialClient.id, demo.adminClient.id]
    t.strictSame(items.map(({ id }) => id).sort(), ids.sort())
  })

  const session = await logIn(first, demo.publicClient, demo.user)

  await t.test('SIGINT ends service and database with code 0', async (t) => {
    t.not(dir.databaseProcesses().length, 0, 'there is a database')
    first.signal('SIGINT')
    t.strictSame(await first.exited, { code: 0, signal: null })
    await until('the end of the database', () => dir.databaseProcesses().length === 0)
    t.strictSame(dir.locks(), [])
    t.strictSame(first.stderr, [])
  })

  const second = await startLineage(t, env)
  await t.test('a second start finds everything again', async (t) => {
    await second.logged('service.started')
    t.strictSame(readDemo(dir.path), demo)
    t.strictSame(second.log('database.migrated'), [])
    t.strictSame(second.log('key.published'), [], 'the signing key is the one from before')
    const answer = await refresh(second, demo.publicClient, session.refresh_token)
    t.equal(answer.status, 200)
    t.equal((await askAdmin(second, demo, '/admin/users')).status, 200)
  })

  await t.test('kill -9 leaves a data directory that the next start takes over', async (t) => {
    const { refresh_token: token } = await logIn(second, demo.publicClient, demo.user)
    second.signal('SIGKILL')
    t.strictSame(await second.exited, { code: null, signal: 'SIGKILL' })
    const third = await startLineage(t, env)
    t.equal((await refresh(third, demo.publicClient, token)).status, 200)
    t.equal(dir.locks().length, 1, 'the stale lock is gone')
    t.match(dir.locks()[0], new RegExp(`^lock\\.${third.pid}\\.`))
    third.signal('SIGTERM')
    t.strictSame(await third.exited, { code: 0, signal: null })
  })
})

test('Ctrl-C while the demo data is made ends both with code 0', async (t) => {
  const dir = makeDataDir(t)
  const service = await spawnLineage(t, { LINEAGE_DATA_DIR: dir.path })
  await until('a listener', () => service.fetch('/livez').then(Boolean, () => false))
  service.signal('SIGINT')
  t.strictSame(await service.exited, { code: 0, signal: null })
  t.strictSame(service.stderr, [])
  t.strictSame(dir.locks(), [])
})

test('the issuer is where it listens, on another loopback address too', async (t) => {
  const dir = makeDataDir(t)
  const service = await spawnLineage(t, { LINEAGE_DATA_DIR: dir.path, HOST: '127.0.0.2' })
  await until('a start', () => service.log('service.started')[0])
  const { issuer } = readDemo(dir.path)
  t.equal((await fetch(`${issuer}/livez`)).status, 200)
})

function readDemo(dataDir: string): DemoData {
  return JSON.parse(readFileSync(join(dataDir, 'demo.json'), 'utf8')) as DemoData
}

async function askAdmin(service: LineageProcess, demo: DemoData, path: string): Promise<Response> {
  const granted = await service.form('/token', {
    grant_type: 'client_credentials',
    client_id: demo.adminClient.id,
    client_secret: demo.adminClient.secret,
  })
  const { access_token: token } = (await granted.json()) as TokenAnswer
  return await service.fetch(path, { headers: { authorization: `Bearer ${token}` } })
}

const issuerOf = ({ port }: LineageProcess) => `http://localhost:${port}`

async function checkCurlLines(t: Test, service: LineageProcess): Promise<void> {
  await until('the last line', () => service.stdout.some((line) => line.includes('jwks.json')))
  const from = service.stdout.findIndex((line) => line.startsWith('Lineage is running.'))
  t.equal(
    service.stdout[from + 1],
    `All of its interface is described at ${issuerOf(service)}/docs`,
  )
  const lines = service.stdout.slice(from + 2).filter((line) => !line.startsWith('{'))
  for (const line of lines.filter((line) => line.startsWith('#'))) {
    t.match(line, /^# [\w ,:-]+$/, 'zsh takes it for a command, and it must not open a quotation')
  }
  const answers = (await paste(lines)).map((line) => JSON.parse(line))
  const [login, one, two, state, replay, newest, service_, users, jwks, ...rest] = answers
  const tokens = [login, one, two].map(({ refresh_token: token }) => token)
  t.equal(new Set(tokens).size, 3, 'log in, and two refreshes')
  for (const token of tokens) t.match(token, /^lrt_/)
  t.match(state, { active: true, client_id: 'demo-app', token_type: 'Bearer' })
  t.match(replay, { error: 'invalid_grant' }, 'reuse is detected')
  t.match(newest, { error: 'invalid_grant' }, 'and the family has ended')
  t.match(service_, { access_token: String, token_type: 'Bearer' })
  t.notOk('refresh_token' in service_, '(C47)')
  t.match(users, { items: [{ username: 'demo' }] }, 'the admin client')
  t.match(jwks, { keys: [{ kty: 'EC', alg: 'ES256', use: 'sig' }] })
  t.strictSame(rest, [])
}

/** What a shell prints when it is given the lines one after another. */
async function paste(lines: readonly string[]): Promise<string[]> {
  const shell = spawn('sh', { env: { PATH: process.env.PATH }, stdio: ['pipe', 'pipe', 'inherit'] })
  shell.stdin.end(`${lines.join('\n')}\n`)
  return (await text(shell.stdout)).split('\n').filter(Boolean)
}
