// Help, exit codes and what a mistake says: the frame that every command shares.

import { test } from 'tap'
import { runCommand, runHere, runJson } from '../support/command-line.ts'

test('--help and --version are answers: exit code 0, on stdout', async (t) => {
  const help = await runCommand(t, {}, ['--help'])
  t.equal(help.code, 0)
  t.match(help.stdout, /^Usage: lineage /)
  t.match(help.stdout, 'Exit codes: 0 done, 1 failed or not in order, 2 wrong usage.')
  t.equal(help.stderr, '')
  const ofOne = await runCommand(t, {}, ['user', 'create', '--help'])
  t.equal(ofOne.code, 0)
  t.match(ofOne.stdout, /Examples:\n {2}\$ lineage user create --username /)
  t.match(await runHere({}, ['help', 'user']), { code: 0, stdout: /^Usage: lineage user / })
  const version = await runCommand(t, {}, ['--version'])
  t.match(version, { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ })
})

const MISUSES: Record<string, string[]> = {
  'no command at all': [],
  'a group without a command': ['user'],
  'an unknown command': ['users'],
  'a missing required option': ['user', 'create', '--username', 'ada'],
  'a missing argument': ['user', 'disable'],
  'one argument too many': ['migrate', 'now'],
  'a value outside of the choices': ['client', 'create', '--type', 'secret'],
  'no number': ['events', 'tail', '--limit', 'many'],
}

for (const [what, args] of Object.entries(MISUSES)) {
  test(`${what} is wrong usage: exit code 2, said on stderr`, async (t) => {
    const { code, stdout, stderr } = await runHere({}, args)
    t.equal(code, 2)
    t.equal(stdout, '')
    t.match(stderr, /help|Usage/)
  })
}

test('the exit code of wrong usage is that of the process', async (t) => {
  t.match(await runCommand(t, {}, ['nonsense']), { code: 2, stdout: '', stderr: /unknown command/ })
})

test('a value that is refused is not repeated', async (t) => {
  const misuses = [
    ['events', 'tail', '--limit', "hunter2' is invalid"],
    ['client', 'create', '--type', 'hunter2'],
    ['top', '--url', 'http://user:hunter2@host'],
  ]
  for (const args of misuses) {
    const { code, stderr } = await runHere({}, args)
    t.equal(code, 2)
    t.match(stderr, /argument is invalid\. \w/)
    t.notMatch(stderr, 'hunter2')
  }
})

test('there is no option for a secret, and one that is tried is not repeated', async (t) => {
  for (const args of [['--password=hunter2'], ['--password', 'hunter2']]) {
    const result = await runHere({}, ['user', 'set-password', 'ada', ...args])
    t.equal(result.code, 2)
    t.match(result.stderr, "unknown option '--password'")
    t.notMatch(result.stderr, 'hunter2')
  }
})

const SERVER = {
  DATABASE_URL: 'postgres://lineage:hunter2@db.internal/lineage',
  LINEAGE_ISSUER: 'https://auth.example.test',
  LINEAGE_SECRET_KEY: Buffer.alloc(32, 9).toString('base64url'),
}

test('config check prints what is in force and shows no secret', async (t) => {
  const env = { ...SERVER, PORT: '8080' }
  const { code, stdout } = await runCommand(t, env, ['config', 'check'])
  t.equal(code, 0)
  t.match(stdout, /^OK, server mode\n/)
  t.match(stdout, /^PORT +8080 +environment$/m)
  t.match(stdout, /^HOST +127\.0\.0\.1 +default$/m)
  t.match(stdout, /^DATABASE_URL +\(set\) +environment$/m)
  t.match(stdout, /^REDIS_URL +- +default$/m)
  const document = await runJson(t, env, ['config', 'check'])
  t.match(document, { ok: true, mode: 'server' })
  for (const text of [stdout, JSON.stringify(document)]) {
    t.notMatch(text, 'hunter2')
    t.notMatch(text, SERVER.LINEAGE_SECRET_KEY)
  }
})

test('config check shows an empty UV_THREADPOOL_SIZE as the 1 that Node takes it for', async (t) => {
  const { stdout } = await runHere({ ...SERVER, UV_THREADPOOL_SIZE: '' }, ['config', 'check'])
  t.match(stdout, /^UV_THREADPOOL_SIZE +1 +environment$/m)
})

test('config check names every problem, with exit code 1 and no value', async (t) => {
  const env = { ...SERVER, PORT: '99999', LINEAGE_PASWORD: 'hunter2' }
  const document = await runJson(t, env, ['config', 'check'], { code: 1 })
  t.match(document, { ok: false, problems: [/^LINEAGE_PASWORD is not/, /^PORT must be/] })
  t.notMatch(JSON.stringify(document), 'hunter2')
})

test('a command with a bad configuration fails with its problems', async (t) => {
  const result = await runHere({ ...SERVER, PORT: 'x' }, ['keys', 'list', '--json'])
  t.equal(result.code, 1)
  t.match(JSON.parse(result.stdout), { error: /PORT must be/ })
  t.match(result.stderr, /^lineage: The configuration is not valid:\n {2}PORT /)
})
