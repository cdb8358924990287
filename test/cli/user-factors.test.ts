// `lineage user enroll`, `factors` and `remove-factors` beside a running instance.

import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { stripVTControlCharacters } from 'node:util'
import decodeQR from 'qr/decode.js'
import { type Test, test } from 'tap'
import { runCommandLine } from '../../src/cli/run-command-line.ts'
import { beginLogin, endLogin, readAuthenticator } from '../scenes/factor-scene.ts'
import { logIn, startApp } from '../support/app.ts'
import { runHere } from '../support/command-line.ts'
import { type Environment, serverEnvironment } from '../support/lineage-process.ts'

async function openScene(t: Test) {
  const app = await startApp(t)
  const client = await app.makeClient({ id: 'web' })
  const user = await app.makeUser({ username: 'ada' })
  return { app, client, user, env: serverEnvironment(app.databaseUrl) }
}

/** Runs the command, and answers what it shows on stderr with the line that `answer` makes of it. */
async function converse(
  env: Environment,
  args: readonly string[],
  answer: (shown: string) => string | undefined,
) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  let shown = ''
  stderr.on('data', (part) => {
    shown += part
    const line = stdin.writableEnded ? undefined : answer(shown)
    if (line !== undefined) stdin.end(`${line}\n`)
  })
  const ended = once(stderr, 'end')
  const code = await runCommandLine(args, { env, stdin, stdout, stderr })
  for (const stream of [stdout, stderr]) stream.end()
  const printed = await text(stdout)
  await ended
  return { code, stdout: printed, stderr: shown }
}

const uriIn = (shown: string) => /^otpauth:.*$/m.exec(shown)?.[0]
const codeOf = (otpauthUri: string) => readAuthenticator({ id: '', otpauthUri }).code(Date.now())

/** What a camera sees of the lines: eight pixels for each module. */
function photograph(shown: string) {
  const lines = shown.split('\n').filter((line) => line.startsWith('\u001b[38;5;16;48;5;231m'))
  const rows = lines.flatMap((line) => {
    const blocks = [...stripVTControlCharacters(line)]
    return ['▀█', '▄█'].map((dark) => blocks.map((block) => dark.includes(block)))
  })
  const width = (rows[0]?.length ?? 0) * 8
  const height = rows.length * 8
  const data = new Uint8Array(width * height * 4).fill(255)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (rows[y >> 3]?.[x >> 3]) data.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3)
    }
  }
  return { width, height, data }
}

test('enroll shows a QR code that can be read, and asks for the code', async (t) => {
  const { app, client, user, env } = await openScene(t)
  const session = await logIn(app, client, user)
  const done = await converse(env, ['user', 'enroll', 'ada', '--name', 'Key'], (shown) => {
    const uri = uriIn(shown)
    return uri && codeOf(uri)
  })
  t.equal(done.code, 0, done.stderr)
  t.equal(decodeQR(photograph(done.stderr)), uriIn(done.stderr))
  t.ok(photograph(done.stderr).width / 8 <= 80, 'it fits into 80 columns')
  t.match(done.stdout, /^name +Key$/m)
  t.match(done.stdout, /^status +active$/m)
  const codes = done.stdout.match(/^([0-9a-z]{4}-){3}[0-9a-z]{4}$/gm) ?? []
  t.equal(codes.length, 10)
  const refresh = { grant_type: 'refresh_token', client_id: client.id }
  const refused = await app.form('/token', { ...refresh, refresh_token: session.refresh_token })
  t.equal(refused.status, 400, 'every session has ended')
  const { mfa_token: step } = await beginLogin(app, client, user)
  t.equal((await endLogin(app, client, step, { recovery_code: codes[0] ?? '' })).status, 200)
})

test('with --json the URI is a line of stderr, and the result one document', async (t) => {
  const { env } = await openScene(t)
  const done = await converse(env, ['user', 'enroll', 'ada', '--json'], (shown) => {
    const uri = uriIn(shown)
    return uri && codeOf(uri)
  })
  t.notMatch(done.stderr, '\u001b')
  const factor = JSON.parse(done.stdout) as { recoveryCodes: string[] }
  t.match(factor, { type: 'totp', status: 'active', recoveryCodes: { length: 10 } })
  const listed = await runHere(env, ['user', 'factors', 'ada', '--json'])
  const { recoveryCodes: _, ...shown } = factor
  t.strictSame(JSON.parse(listed.stdout), [shown])
  t.match((await runHere(env, ['user', 'factors', 'ada'])).stdout, /^ID +TYPE +NAME +STATUS/)
})

test('a wrong code, or none, activates nothing', async (t) => {
  const { app, client, user, env } = await openScene(t)
  t.match(await runHere(env, ['user', 'enroll', 'ada'], '0\n'), {
    code: 1,
    stderr: /the code is not right/,
  })
  t.match(await runHere(env, ['user', 'enroll', 'ada']), { code: 1, stderr: /has no code/ })
  t.match(await runHere(env, ['user', 'enroll', 'nobody']), { code: 1, stderr: /no such user/ })
  await logIn(app, client, user)
})

test('remove-factors lets the password alone log in again, and is an event', async (t) => {
  const { app, client, user, env } = await openScene(t)
  await converse(env, ['user', 'enroll', 'ada', '--json'], (shown) => {
    const uri = uriIn(shown)
    return uri && codeOf(uri)
  })
  await beginLogin(app, client, user)
  const removed = await runHere(env, ['user', 'remove-factors', 'ada', '--json'])
  t.strictSame(JSON.parse(removed.stdout), { id: user.id, factorsRemoved: true })
  await logIn(app, client, user)
  const tail = await runHere(env, ['events', 'tail', '--type', 'user.factor_removed', '--json'])
  t.match(JSON.parse(tail.stdout), { subject: user.id, detail: { by: 'lineage:cli' } })
})
