// The command line in embedded mode: `lineage serve` makes the database, and the other commands
// find it, running or not (docs/semantics.md §19).

import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { test } from 'tap'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { runCommand, runHere, spawnCommand } from '../support/command-line.ts'
import { makeDataDir } from '../support/embedded-data-dir.ts'
import { until } from '../support/until.ts'

test('commands join the database of a running service, and start it where none runs', async (t) => {
  const dir = makeDataDir(t)
  const port = await findFreePort()
  const env = { LINEAGE_DATA_DIR: dir.path, PORT: String(port) }
  const before = await runHere(env, ['client', 'list'])
  t.match(before, { code: 1, stdout: '', stderr: /there is no database in .* start the service/ })
  t.match(await runHere(env, ['doctor']), { code: 1, stdout: /fail {2}postgresql: there is no/ })

  const service = spawnCommand(t, env, ['serve'])
  const exited = once(service, 'exit')
  const lines: string[] = []
  if (!service.stdout) throw new Error('no output')
  createInterface(service.stdout).on('line', (line) => lines.push(line))
  await until('the service', () => lines.some((line) => line.includes('service.started')))

  const joined = await runCommand(t, env, ['user', 'sessions', 'demo', '--json'])
  t.match(joined, { code: 0, stdout: '[]\n', stderr: '' })
  // Another PORT is no other issuer: that of the service counts.
  const doctor = await runHere({ ...env, PORT: String(port + 1) }, ['doctor'])
  t.equal(doctor.code, 0, doctor.stdout + doctor.stderr)
  t.match(doctor.stdout, new RegExp(`ok {4}issuer: http://localhost:${port} answers\nok {4}jwks`))
  t.equal(dir.locks().length, 1, 'the service alone holds the directory')
  service.kill('SIGTERM')
  t.strictSame(await exited, [0, null])

  const input = 'a passphrase\n'
  const started = await runCommand(t, env, ['user', 'set-password', 'demo'], input)
  t.match(started, { code: 0, stderr: /the password is set/ })
  t.strictSame(dir.locks(), [])
  await until('the end of the database', () => dir.databaseProcesses().length === 0)

  chmodSync(dir.path, 0o755)
  const open = await runHere(env, ['doctor'])
  t.match(open, { code: 1, stdout: /fail {2}data directory: .* can be read by others\n +-> chmod/ })
})
