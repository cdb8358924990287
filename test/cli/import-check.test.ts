// `lineage user import-check`: a report by line, by the rules of `POST /admin/users`, and no write.

import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import argon2 from 'argon2'
import { type Test, test } from 'tap'
import { startApp } from '../support/app.ts'
import { runCommand, runHere } from '../support/command-line.ts'
import { serverEnvironment } from '../support/lineage-process.ts'

const CHECK = ['user', 'import-check']
const HASH = await argon2.hash('a password', { memoryCost: 1024, timeCost: 1, parallelism: 1 })
const user = (name: string, more: object = {}) => ({
  username: name,
  email: `${name}@example.test`,
  passwordHash: HASH,
  ...more,
})
const toLines = (...values: unknown[]) => values.map((value) => JSON.stringify(value)).join('\n')

async function check(t: Test, input: string) {
  const app = await startApp(t)
  await app.makeUser({ username: 'Taken', email: 'taken@example.test' })
  const env = serverEnvironment(app.databaseUrl)
  const { code, stdout } = await runHere(env, [...CHECK, '-', '--json'], input)
  const { items } = (await (await app.admin('GET', '/admin/users')).json()) as { items: unknown[] }
  t.equal(items.length, 1, 'nobody was added')
  return { code, report: JSON.parse(stdout) as Record<string, unknown> }
}

test('a file of good users passes, empty lines and a last line without an end too', async (t) => {
  const id = '4F9C1E3E-6A5D-4D5C-8C0F-0A4E3B2A1D00'
  const roles = ['lineage:admin']
  const input = toLines(
    user('one'),
    { username: 'two', email: 'two@example.test', password: 'long enough' },
    user('three', { id, roles, emailVerified: true }),
  ).replace('\n', '\n\r\n')
  const { code, report } = await check(t, input)
  t.equal(code, 0)
  t.strictSame(report, {
    ...{ users: 3, valid: 3, alreadyThere: 0, invalid: 0 },
    ...{ weakHashes: 0, dearHashes: 0, problems: [] },
  })
})

test('every fault of every line is told, with its number and not its values', async (t) => {
  const weak = HASH.replace('m=1024', 'm=512')
  const faults: [unknown, string[]][] = [
    [[], ['']],
    [user('a b', { email: 'ab@example.test' }), ['/username']],
    [{ username: 'x1', email: 'x', passwordHash: 'hunter2' }, ['/passwordHash', '/email']],
    [user('x2', { password: 'long enough' }), ['/password']],
    [{ username: 'x3', email: 'x3@example.test' }, ['/password']],
    [user('x4', { passwordHash: undefined, password: 'short' }), ['/password']],
    [user('x5', { id: 'nope', roles: ['a', 'a', ''] }), ['/roles/1', '/roles/2', '/id']],
    [
      user('x6', { emailVerified: 'yes', hunter2: 1, roles: 'a' }),
      ['/emailVerified', '/', '/roles'],
    ],
    [user('taken', { id: randomUUID(), email: 'TAKEN@example.test' }), ['/username', '/email']],
    [user('taken', { email: 'other@example.test' }), ['/username']],
    [user('same', { passwordHash: weak }), []],
    [user('SAME', { email: 'other@example.test' }), ['/username']],
    [user('last', { username: 5 }), ['/username', '/username']],
  ]
  const { code, report } = await check(t, toLines(...faults.map(([value]) => value)))
  t.equal(code, 1)
  const found = report.problems as { line: number; errors: { pointer: string; detail: string }[] }[]
  for (const [index, [, pointers]] of faults.entries()) {
    const errors = found.find(({ line }) => line === index + 1)?.errors ?? []
    t.strictSame(errors.map(({ pointer }) => pointer).sort(), [...pointers].sort(), `${index + 1}`)
  }
  t.match(report, { users: faults.length, valid: 1, weakHashes: 1, dearHashes: 0 })
  t.match(found.at(-2)?.errors, [{ detail: 'is that of line 11 already' }])
  t.notMatch(JSON.stringify(report), 'hunter2')
})

test('more lines than one look-up takes are all looked up', async (t) => {
  const many = Array.from({ length: 1_100 }, (_, index) => user(`user${index}`))
  const { code, report } = await check(
    t,
    toLines(...many, user('taken', { email: 'x@example.test' })),
  )
  t.equal(code, 1)
  t.match(report, { users: 1_101, valid: 1_100, problems: [{ line: 1_101 }] })
})

test('it reads a file too, and says what it cannot read', async (t) => {
  const env = serverEnvironment((await startApp(t)).databaseUrl)
  const dir = t.testdir({})
  const file = join(dir, 'users.jsonl')
  writeFileSync(file, toLines(user('one'), user('two', { username: '' })))
  const { code, stdout, stderr } = await runCommand(t, env, [...CHECK, file])
  t.equal(code, 1)
  t.match(stdout, /^line 2: username must be .*\nvalid: 1 of 2\n$/)
  t.match(stderr, /lines that are not valid: 1/)
  t.match(await runHere(env, [...CHECK, join(dir, 'none')]), { code: 1, stderr: /ENOENT/ })
  t.match(await runHere(env, [...CHECK, dir]), { code: 1, stderr: /EISDIR/ })
  const endless = await runHere(
    env,
    [...CHECK, '-'],
    `${'x'.repeat(200_000)}\n${toLines(user('one'))}`,
  )
  t.match(endless, { code: 1, stdout: /^line 1: is longer than 65536 bytes\nvalid: 1 of 2$/m })
  writeFileSync(file, Buffer.from([0x22, 0xff, 0x22]))
  t.match(await runHere(env, [...CHECK, file]), { code: 1, stdout: /line 1: is not UTF-8/ })
})
