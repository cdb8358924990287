// How secrets come in: one line of standard input, or a prompt that shows nothing.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { dirname } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'tap'
import { readNewPassword, readSecretLine } from '../../src/cli/secret-input.ts'
import { runJson } from '../support/command-line.ts'
import { serverEnvironment } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const read = (...chunks: (string | Buffer)[]) =>
  readSecretLine({ stdin: Readable.from(chunks) }, 'password')

test('the first line counts, without its end and with its spaces', async (t) => {
  t.equal(await read('correct horse\n'), 'correct horse')
  t.equal(await read('correct horse'), 'correct horse')
  t.equal(await read(' a b \r\nnext\n'), ' a b ')
  const umlaut = Buffer.from('pässwort\n')
  t.equal(await read(umlaut.subarray(0, 2), umlaut.subarray(2)), 'pässwort', 'cut in a character')
})

test('no line, no UTF-8 and no end of it are refused, without repeating any of it', async (t) => {
  await t.rejects(read(''), { message: 'standard input has no password: give it as one line' })
  await t.rejects(read('\nsecond\n'), { name: 'CommandFailure' })
  await t.rejects(read(Buffer.from([0x70, 0xff, 0x0a])), { message: /UTF-8/ })
  await t.rejects(read('x'.repeat(100_000)), { message: /too long/ })
})

test('what cannot be read is one line', async (t) => {
  const stdin = createReadStream(import.meta.dirname)
  const failure = { name: 'CommandFailure', message: 'the password cannot be read (EISDIR)' }
  await t.rejects(readSecretLine({ stdin }, 'password'), failure)
})

test('without a terminal nothing is asked for twice', async (t) => {
  const stderr = new PassThrough()
  const [stdin, stdout] = [Readable.from(['only once\n']), new PassThrough()]
  t.equal(await readNewPassword({ env: {}, stdin, stdout, stderr }), 'only once')
  t.equal(stderr.read(), null)
})

const NO_SCRIPT =
  spawnSync('script', ['--version']).status === 0 ? false : 'there is no script(1) for a terminal'

test('at a terminal it is asked for twice, and not shown', { skip: NO_SCRIPT }, async (t) => {
  const env = serverEnvironment((await openTestDatabase(t)).url)
  const command = 'node --import=tsx src/cli.ts user create --username ada --email ada@e.test'
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: dirname(dirname(import.meta.dirname)),
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let screen = ''
  child.stdout.on('data', (chunk) => {
    screen += chunk
  })
  await until('the first prompt', () => screen.includes('Password: '))
  child.stdin.write('a hidden phrase\r')
  await until('the second prompt', () => screen.includes('Once more: '))
  child.stdin.write('a hidden phrase\r')
  const [code] = await once(child, 'close')
  t.equal(code, 0, screen)
  t.notMatch(screen, 'hidden')
  t.match(await runJson(t, env, ['user', 'disable', 'ada']), { status: 'disabled' })
})
