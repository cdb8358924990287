// Embedded mode that cannot start: exit code 1 and exactly one line, and no
// database left behind (docs/semantics.md §19).

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { type Test, test } from 'tap'
import { makeDataDir } from '../support/embedded-data-dir.ts'
import { type Environment, spawnLineage, startLineage } from '../support/lineage-process.ts'
import { until } from '../support/until.ts'

async function refusesToStart(t: Test, env: Environment, line: RegExp): Promise<void> {
  const service = await spawnLineage(t, env)
  t.strictSame(await service.exited, { code: 1, signal: null })
  t.equal(service.stderr.length, 1, 'one line')
  t.match(service.stderr[0], line)
}

test('refuses a port that is taken, and ends the database that it had started', async (t) => {
  const dir = makeDataDir(t)
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  const env = { LINEAGE_DATA_DIR: dir.path, PORT: String(port) }
  await refusesToStart(t, env, new RegExp(`^lineage: port ${port} on 127\\.0\\.0\\.1 is taken; `))
  await until('the end of the database', () => dir.databaseProcesses().length === 0)
  t.strictSame(dir.locks(), [])
})

test('refuses a data directory that is a file', async (t) => {
  const { path } = makeDataDir(t)
  writeFileSync(path, '')
  await refusesToStart(
    t,
    { LINEAGE_DATA_DIR: path },
    /^lineage: the data directory .*not a directory/,
  )
})

test('refuses a data directory that it cannot make', async (t) => {
  const { path } = makeDataDir(t)
  const file = join(dirname(path), 'file')
  writeFileSync(file, '')
  const env = { LINEAGE_DATA_DIR: join(file, 'data') }
  await refusesToStart(t, env, /^lineage: the data directory .*(not a directory|not writable)/)
})

test('refuses a data directory that another service holds, which goes on', async (t) => {
  const dir = makeDataDir(t)
  const holder = await startLineage(t, { LINEAGE_DATA_DIR: dir.path })
  const env = { LINEAGE_DATA_DIR: dir.path }
  await refusesToStart(t, env, new RegExp(`^lineage: .* in use by process ${holder.pid}$`))
  t.equal((await holder.readiness()).body.status, 'ok')
  holder.signal('SIGTERM')
  t.strictSame(await holder.exited, { code: 0, signal: null })
})
