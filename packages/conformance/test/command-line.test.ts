// `lineage-conformance` as somebody runs it: what it takes, what it prints and how it ends.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Test, test } from 'tap'
import { findFreePort } from '../../../src/embedded/free-port.ts'
import { spawnCommand } from '../../../test/support/command-line.ts'
import { makeDataDir } from '../../../test/support/embedded-data-dir.ts'
import { until } from '../../../test/support/until.ts'
import type { Credentials } from '../src/credentials.ts'
import type { ConformanceReport } from '../src/run-checks.ts'
import { startLineageScene } from './lineage-scene.ts'
import { BIN, runBin, runHere } from './run-command.ts'

const SECRET_WORDS = /pässwörter|a\+secret/

/** A service of which nothing is right but its metadata; `error` is what it says to everything. */
async function startBadService(t: Test, error: string): Promise<string> {
  const server: Server = createServer((request, response) => {
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    response.setHeader('content-type', 'application/json')
    if (request.method === 'GET' && request.url?.startsWith('/.well-known/')) {
      const token_endpoint = `${issuer}/token`
      response.end(JSON.stringify({ issuer, token_endpoint, grant_types_supported: ['password'] }))
      return
    }
    response.statusCode = 500
    response.end(JSON.stringify({ error }))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('credentials from a file: a line a row, reasons under it, a summary, exit code 0', async (t) => {
  const { issuer, credentials } = await startLineageScene(t)
  const file = join(t.testdir({}), 'credentials.json')
  writeFileSync(file, JSON.stringify({ ...credentials, issuer, adminClient: { id: 'unknown' } }))
  const args = [issuer, '--credentials', file, '--only', 'c10,C49', '--only', 'C111']
  const { code, stdout, stderr } = await runBin(t, args)
  t.equal(code, 0, stderr)
  const lines = stdout.trimEnd().split('\n')
  t.match(lines[0], /^PASS {2}C10 {3}MUST {5}A token answer is 200 and JSON, .*\(RFC 6749 §5\.1\)$/)
  t.match(lines[1], /^PASS {2}C49 {3}MUST {5}Another client can neither /)
  t.match(lines[2], /^SKIP {2}C111 {2}/)
  t.equal(lines[3], '      -> the tokens name no status list')
  t.strictSame(lines.slice(4), ['', `${issuer}: 2 passed, 0 failed, 1 skipped`])
  t.notMatch(stdout + stderr, SECRET_WORDS)

  const input = JSON.stringify(credentials)
  const onStdin = [issuer, '--credentials', '-', '--only', 'C10', '--json']
  const { stdout: json, code: jsonCode } = await runHere(onStdin, input)
  t.equal(jsonCode, 0)
  const report = JSON.parse(json) as ConformanceReport
  t.match(report, { issuer, summary: { passed: 1, failed: 0, skipped: 0 } })
  t.match(report.rows, [{ row: 'C10', level: 'MUST', status: 'PASS', sections: [/^RFC 6749/] }])

  const { confidentialClient, user } = credentials
  const named = ['--client-id', `${confidentialClient?.id}`, '--username', `${user?.username}`]
  const secrets = `${confidentialClient?.secret}\n${user?.password}\n`
  const byLines = await runHere([issuer, ...named, '--only', 'C40'], secrets)
  t.match(byLines, { code: 0, stdout: /^PASS {2}C40 / })
  t.notMatch(byLines.stdout, SECRET_WORDS)
  const nobody = await runHere([issuer, '--only', 'C10,C18'])
  t.match(nobody, { code: 0, stdout: /^SKIP {2}C10 .*\n {6}-> no .*\nPASS {2}C18 / })
})

test('a failing row is exit code 1, and what the service wrote cannot move the cursor', async (t) => {
  const issuer = await startBadService(t, 'top-secret-value')
  const input = 'top-secret-value\nanother-secret\n'
  const junit = join(t.testdir({}), 'junit.xml')
  const args = [issuer, '--client-id', 'c', '--username', 'u', '--only', 'C8,C18']
  const { code, stdout, stderr } = await runHere([...args, '--junit', junit], input)
  t.equal(code, 1)
  t.match(stdout, /^FAIL {2}C8 .*\n {6}-> a request without grant_type .*500 \(secret\)/)
  t.match(stdout, /\nFailed: C8 C18\n$/)
  t.match(stderr, 'lineage-conformance: rows failed: 2')
  t.match(readFileSync(junit, 'utf8'), /<testcase [^>]*name="C8 [^>]*><failure message="/)
  t.notMatch(stdout + stderr + readFileSync(junit, 'utf8'), /top-secret|another-secret/)

  const hostile = await startBadService(t, '\u001b[2Jboo\u202e')
  const only = [hostile, '--only', 'C18']
  const plain = await runHere(only)
  t.match(plain, { code: 1, stdout: /no readable error code/ })
  t.notMatch(plain.stdout + plain.stderr, /[\p{Cf}]|\[2J/u)
  const json = await runHere([...only, '--json'])
  t.match(JSON.parse(json.stdout), { summary: { failed: 1 } })
})

test('no metadata is exit code 1, said once', async (t) => {
  const server = createServer((_request, response) => response.writeHead(404).end())
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const args = [`http://127.0.0.1:${port}`]
  const { code, stdout, stderr } = await runHere(args)
  t.match({ code, stdout }, { code: 1, stdout: '' })
  t.match(stderr, /^lineage-conformance: there is no metadata of this issuer \(.* gave status 404 /)
  const json = await runHere([...args, '--json'])
  t.match(JSON.parse(json.stdout), { error: /no metadata/ })
})

const ISSUER = 'https://auth.example.test'
const MISUSES: Record<string, string[]> = {
  'no issuer': [],
  'an issuer that is no URL': ['auth.example.test'],
  'an issuer of another scheme': ['ftp://auth.example.test'],
  'an unknown row': [ISSUER, '--only', 'C0'],
  'a file and a client': [ISSUER, '--credentials', 'x', '--client-id', 'y'],
  'a user without a client': [ISSUER, '--username', 'ada'],
  'a resource that is no URL': [ISSUER, '--resource-url', 'verify'],
}

for (const [what, args] of Object.entries(MISUSES)) {
  test(`${what} is wrong usage`, async (t) => {
    const { code, stdout, stderr } = await runHere(args)
    t.match({ code, stdout }, { code: 2, stdout: '' }, stderr)
    t.match(stderr, /^error: /)
  })
}

test('credentials that cannot be used are said without any of their values', async (t) => {
  const cases: Record<string, RegExp> = {
    '{"user": {"username": "ada", "password": 12345678}}': /user\.password must be a text/,
    '{"publicClient": {"secret": "hunter2"}}': /publicClient\.id is missing/,
    '{"confidentialClient": "hunter2"}': /confidentialClient must be an object/,
    '{"publicClient": {"id": "a", "authMethod": "hunter2"}}': /authMethod must be client_secret_/,
    '{"assertionClient": {"id": "a", "alg": "ES256", "privateJwk": {}}}': /must be a private JWK/,
    '{"certificateClient": {"id": "a", "key": "hunter2"}}': /certificate is missing/,
    '{"certificateClient": {"id": "a", "key": "hunter2", "certificate": "hunter2"}}':
      /certificateClient must have a certificate and its private key/,
    '{"expiringClient": {"id": "a", "idleSeconds": "hunter2"}}': /idleSeconds must be a number/,
    '{"user": hunter2': /is not JSON/,
    '["hunter2"]': /must be an object/,
    [`"${'x'.repeat(100_000)}"`]: /too large/,
  }
  for (const [input, message] of Object.entries(cases)) {
    const { code, stderr } = await runHere([ISSUER, '--credentials', '-'], input)
    t.equal(code, 1)
    t.match(stderr, message)
    t.notMatch(stderr, /hunter2|12345678/)
  }
  const missing = await runHere([ISSUER, '--credentials', '/nonexistent'])
  t.match(missing, { code: 1, stderr: /cannot be read \(ENOENT\)/ })
})

test('the demo.json of embedded mode is enough for most rows, and none fails', async (t) => {
  const dir = makeDataDir(t)
  const port = await findFreePort()
  const env = { LINEAGE_DATA_DIR: dir.path, PORT: String(port) }
  const service = spawnCommand(t, env, ['serve'])
  const exited = once(service, 'exit')
  const lines: string[] = []
  if (!service.stdout) throw new Error('no output')
  createInterface(service.stdout).on('line', (line) => lines.push(line))
  await until('the service', () => lines.some((line) => line.includes('service.started')), 60_000)

  const issuer = `http://localhost:${port}`
  const file = join(dir.path, 'demo.json')
  const args = [issuer, '--credentials', file, '--resource-url', `${issuer}/verify`]
  const { code, stdout } = await runHere([...args, '--json'])
  const { rows, summary } = JSON.parse(stdout) as ConformanceReport
  t.equal(code, 0)
  t.strictSame(
    rows.filter(({ status }) => status === 'FAIL').map(({ row, reason }) => `${row} ${reason}`),
    [],
  )
  t.ok(summary.passed >= 65, `${summary.passed} rows pass`)
  const { user, confidentialClient } = JSON.parse(readFileSync(file, 'utf8')) as Credentials
  t.notMatch(stdout, user?.password)
  t.notMatch(stdout, confidentialClient?.secret)
  service.kill('SIGTERM')
  t.strictSame(await exited, [0, null])
})

const NO_SCRIPT =
  spawnSync('script', ['--version']).status === 0 ? false : 'there is no script(1) for a terminal'

test('at a terminal secret and password are asked for, and not shown', {
  skip: NO_SCRIPT,
}, async (t) => {
  const { issuer, credentials } = await startLineageScene(t)
  const { confidentialClient: client, user } = credentials
  const named = `--client-id ${client?.id} --username ${user?.username} --only C40`
  const command = `${BIN} ${issuer} ${named}`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env.PATH },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let screen = ''
  child.stdout.on('data', (chunk) => {
    screen += chunk
  })
  await until('the first prompt', () => screen.includes('Client secret: '))
  child.stdin.write(`${client?.secret}\r`)
  await until('the second prompt', () => screen.includes('Password: '))
  child.stdin.write(`${user?.password}\r`)
  const [code] = await once(child, 'close')
  t.equal(code, 0, screen)
  t.match(screen, /PASS {2}C40 /)
  t.notMatch(screen, client?.secret)
  t.notMatch(screen, SECRET_WORDS)
})
