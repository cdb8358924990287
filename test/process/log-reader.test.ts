// Whoever reads the log may stop reading or die: the service serves on, and it ends when it is told
// to, as with `node dist/main.js | cat`.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Test, test } from 'tap'
import { serverEnvironment, spawnLineage } from '../support/lineage-process.ts'
import { openPipeReader, type PipeReader } from '../support/pipe-reader.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { sourceArguments } from '../support/source-process.ts'

const FIXTURE = fileURLToPath(new URL('fixtures/logging-process.ts', import.meta.url))

async function start(t: Test, reader: PipeReader) {
  const env = serverEnvironment((await openTestDatabase(t)).url)
  const service = await spawnLineage(t, env, { stdoutFd: reader.fd })
  reader.closeFd()
  await service.ready()
  return service
}

test('a reader that has died costs neither an answer nor the end', async (t) => {
  const reader = openPipeReader(t)
  const service = await start(t, reader)
  await reader.kill()
  for (let i = 0; i < 3; i += 1) t.equal((await service.fetch('/nowhere')).status, 404)
  service.signal('SIGTERM')
  t.strictSame(await service.exited, { code: 0, signal: null })
  t.strictSame(service.stderr, [])
})

test('a reader that dies with the last line still to come costs no end either', async (t) => {
  const reader = openPipeReader(t)
  const service = await start(t, reader)
  service.signal('SIGTERM')
  await reader.kill()
  t.strictSame(await service.exited, { code: 0, signal: null })
})

test('a reader that has stalled costs neither an answer nor the end', async (t) => {
  const reader = openPipeReader(t)
  const service = await start(t, reader)
  reader.pause()
  // More than a pipe holds.
  for (let i = 0; i < 40; i += 1) {
    const calls = Array.from({ length: 20 }, () => service.fetch('/nowhere'))
    for (const { status } of await Promise.all(calls)) if (status !== 404) t.fail(String(status))
  }
  t.equal((await service.readiness()).code, 200)
  service.signal('SIGTERM')
  t.strictSame(await service.exited, { code: 0, signal: null })
  reader.resume()
  const lines = (await reader.all).split('\n')
  t.ok(lines.length > 100, 'what the pipe held is read')
})

test('lines are lost while a reader is too far behind, and it is told how many', async (t) => {
  const reader = openPipeReader(t)
  const child = spawn(
    'env',
    ['-u', 'NODE_OPTIONS', process.execPath, ...sourceArguments(FIXTURE)],
    {
      stdio: ['pipe', reader.fd, 'inherit'],
    },
  )
  t.teardown(() => child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  reader.closeFd()
  // It writes ten megabytes without a pause, which no reader can follow.
  child.stdin?.end()
  t.strictSame(await exited, [0, null])
  const lines = (await reader.all).trimEnd().split('\n')
  const told = lines.filter((line) => line.startsWith('lost '))
  const whole = lines.filter((line) => /^\d+ x{1000}$/.test(line))
  t.equal(told.length, 1)
  t.equal(whole.length + Number(told[0]?.slice(5)), 10_000, 'each line is whole or counted')
  t.equal(whole.length + told.length, lines.length)
})
