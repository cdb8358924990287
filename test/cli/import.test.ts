// `lineage user import`: thousands of lines in one go, killed midway and begun again, the bad ones told
// and the rest added once.

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import argon2 from 'argon2'
import { type Test, test } from 'tap'
import { runCommandLine } from '../../src/cli/run-command-line.ts'
import { asAdmin } from '../support/admin-connection.ts'
import { logIn, startApp, type TestApp } from '../support/app.ts'
import { runCommand, runHere, runJson, spawnCommand } from '../support/command-line.ts'
import { serverEnvironment } from '../support/lineage-process.ts'
import { until } from '../support/until.ts'

const IMPORT = ['user', 'import']
const PASSWORD = 'a password'
const HASH = await argon2.hash(PASSWORD, { memoryCost: 1024, timeCost: 1, parallelism: 1 })
const COUNT = 2_600

interface ImportDocument {
  readonly users: number
  readonly added: number
  readonly alreadyThere: number
  readonly invalid: number
  readonly problems: readonly { line: number; errors: { pointer: string; detail: string }[] }[]
}

const lineOf = (index: number, more: object = {}) => ({
  ...(index % 2 === 0 && { id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}` }),
  username: `user${index}`,
  email: `user${index}@example.test`,
  passwordHash: HASH,
  ...more,
})

/** Good lines but for the planted ones, by the number of the line. */
function makeFile(planted: ReadonlyMap<number, unknown> = new Map()): string {
  const lines = Array.from({ length: COUNT }, (_, index) => {
    const bad = planted.get(index + 1)
    return typeof bad === 'string' ? bad : JSON.stringify(bad ?? lineOf(index + 1))
  })
  return `${lines.join('\n')}\n`
}

function countUsers({ databaseUrl }: TestApp): Promise<number> {
  return asAdmin(databaseUrl, async (client) => {
    const { rows } = await client.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM users',
    )
    return rows[0]?.count ?? 0
  })
}

async function openScene(t: Test) {
  const app = await startApp(t)
  const env = serverEnvironment(app.databaseUrl)
  const runImport = async (input: string, args: readonly string[] = []) => {
    const { code, stdout } = await runHere(env, [...IMPORT, '-', '--json', ...args], input)
    return { code, ...(JSON.parse(stdout) as ImportDocument) }
  }
  return { app, env, runImport }
}

test('bad lines are told by number and reason, and the rest goes in', async (t) => {
  const { app, runImport } = await openScene(t)
  await app.makeUser({ username: 'Somebody', email: 'somebody@example.test' })
  const planted = new Map<number, unknown>([
    [1, 'no JSON'],
    [7, ''],
    [499, lineOf(499, { email: 'nowhere' })],
    [500, lineOf(500, { username: 'somebody', email: 'other@example.test' })],
    [501, lineOf(501, { username: 'USER3' })],
    [777, { ...lineOf(777), passwordHash: undefined, password: 'password1' }],
    [2_000, lineOf(2_000, { id: lineOf(2).id })],
    [COUNT, lineOf(COUNT, { username: 'x', unknown: 1 })],
  ])
  const report = await runImport(makeFile(planted))
  t.equal(report.code, 1)
  t.match(report, { users: COUNT - 1, added: COUNT - 8, alreadyThere: 0, invalid: 7 })
  const told = report.problems.map(({ line, errors }) => [line, errors[0]?.pointer])
  t.strictSame(told, [
    [1, ''],
    [499, '/email'],
    [500, '/username'],
    [501, '/username'],
    [777, '/password'],
    [2_000, '/id'],
    [COUNT, '/'],
  ])
  t.match(report.problems[4]?.errors[0]?.detail, /tried first/)
  t.equal(await countUsers(app), COUNT - 8 + 1)
})

test('imported users log in, with what their lines say of them', async (t) => {
  const { app, runImport } = await openScene(t)
  const line = lineOf(2, { roles: ['support'], emailVerified: true, username: 'Ünal' })
  const plain = { username: 'plain', email: 'plain@example.test', password: 'long enough' }
  t.match(await runImport(`\ufeff${JSON.stringify(line)}\r\n${JSON.stringify(plain)}`), {
    code: 0,
    added: 2,
  })
  const client = await app.makeClient({})
  t.ok(await logIn(app, client, { username: 'ünal', password: PASSWORD }))
  t.ok(await logIn(app, client, plain))
  t.match(await (await app.admin('GET', `/admin/users/${line.id}`)).json(), {
    ...{ username: 'Ünal', email: 'user2@example.test', emailVerified: true },
    ...{ roles: ['support'], status: 'active' },
  })
})

test('killed midway and begun again, it adds everybody once', async (t) => {
  const { app, env, runImport } = await openScene(t)
  const file = makeFile()
  const child = spawnCommand(t, env, [...IMPORT, '-'])
  const exited = once(child, 'exit')
  // What is held back keeps the command from its end.
  child.stdin?.on('error', () => {})
  child.stdin?.write(file.slice(0, file.length / 2))
  await until('a part of the file is in', async () => (await countUsers(app)) >= 500)
  child.kill('SIGKILL')
  t.strictSame(await exited, [null, 'SIGKILL'])
  const before = await countUsers(app)
  t.ok(before < COUNT)
  t.match(await runImport(file), {
    code: 0,
    users: COUNT,
    alreadyThere: before,
    added: COUNT - before,
  })
  t.match(await runImport(file), { code: 0, users: COUNT, alreadyThere: COUNT, added: 0 })
  t.equal(await countUsers(app), COUNT)
})

test('two at once add everybody once', async (t) => {
  const { app, runImport } = await openScene(t)
  const [one, other] = await Promise.all([runImport(makeFile()), runImport(makeFile())])
  t.equal((one?.added ?? 0) + (other?.added ?? 0), COUNT)
  t.strictSame([one?.problems, other?.problems], [[], []])
  t.equal(await countUsers(app), COUNT)
})

test('nobody who is there is changed, and one event tells of a batch', async (t) => {
  const { app, env, runImport } = await openScene(t)
  t.match(await runImport(makeFile()), { added: COUNT })
  const read = ['events', 'tail', '--type', 'user.imported']
  const told = (await runCommand(t, env, [...read, '--json'])).stdout
  const events = told
    .trim()
    .split(/\n(?=\{)/)
    .map((text) => JSON.parse(text) as { detail: { by: string; added: number } })
  t.equal(
    events.reduce((sum, { detail }) => sum + detail.added, 0),
    COUNT,
  )
  t.ok(events.length <= Math.ceil(COUNT / 500))
  t.match(events[0], { detail: { by: 'lineage:cli' } })
  const other = lineOf(2, { email: 'new@example.test', roles: ['new'] })
  t.match(await runImport(JSON.stringify(other)), { code: 0, alreadyThere: 1 })
  const user = await (await app.admin('GET', `/admin/users/${other.id}`)).json()
  t.match(user, { email: 'user2@example.test', roles: [] })
  await app.admin('DELETE', `/admin/users/${other.id}`)
  t.match(await runImport(JSON.stringify(other)), {
    ...{ code: 1, invalid: 1 },
    problems: [{ errors: [{ pointer: '/id', detail: 'is taken already' }] }],
  })
})

test('a dry run says the same and writes nothing', async (t) => {
  const { app, runImport } = await openScene(t)
  const file = makeFile(new Map([[2_500, lineOf(2_500, { username: 'user3' })]]))
  const report = await runImport(file, ['--dry-run'])
  t.match(report, { code: 1, users: COUNT, valid: COUNT - 1, alreadyThere: 0 })
  t.match(report.problems, [{ line: 2_500, errors: [{ detail: 'is that of line 3 already' }] }])
  t.notOk('added' in report)
  t.equal(await countUsers(app), 0)
  t.strictSame(
    await runJson(t, serverEnvironment(app.databaseUrl), [
      'events',
      'tail',
      '--type',
      'user.imported',
    ]).catch(() => []),
    [],
  )
})

test('a terminal sees how far it is, and anything else only what was found', async (t) => {
  const { env } = await openScene(t)
  const path = join(t.testdir({}), 'users.jsonl')
  writeFileSync(path, makeFile(new Map([[600, 'no JSON']])))
  const streams = { stdin: new PassThrough(), stdout: new PassThrough() }
  const stderr = Object.assign(new PassThrough(), { isTTY: true })
  const code = await runCommandLine([...IMPORT, path], { env, ...streams, stderr })
  t.equal(code, 1)
  const shown = String(stderr.read())
  t.match(shown, /\[#+\.*\] +\d+% \d+ users, \d of them not valid/)
  t.match(
    String(streams.stdout.read()),
    /^line 600: must be one JSON object\nadded: 2599 of 2600\nnot added: 1\n/,
  )
  const again = await runHere(env, [...IMPORT, path])
  t.equal(again.stderr, 'lineage: lines that were not added: 1\n')
  t.match(again.stdout, /^already there: 2599$/m)
  t.match(again.stdout, /^\d+(\.\d)? s, \d+ users a second$/m)
})
