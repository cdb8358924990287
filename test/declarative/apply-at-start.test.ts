// LINEAGE_APPLY_FILE: applied before anything listens, once by however many start together; a wrong file
// refuses the start with one line.

import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type Test, test } from 'tap'
import { loadConfig } from '../../src/config/service-config.ts'
import { createLogger } from '../../src/ops/logger.ts'
import { openService } from '../../src/wiring/open-service.ts'
import {
  CLIENT_SECRET,
  type DeclarativeScene,
  openDeclarativeScene,
  publicClient,
  resource,
} from '../scenes/declarative-scene.ts'
import { startWorkers } from '../scenes/workers-scene.ts'
import { readEvents } from '../support/audit.ts'
import { spawnCommand } from '../support/command-line.ts'
import { startFails } from '../support/failing-start.ts'
import { startLineage } from '../support/lineage-process.ts'
import { until } from '../support/until.ts'

const SERVICE = { name: 'Jobs', type: 'confidential', grantTypes: ['client_credentials'] }

const jobs = resource('Client', 'jobs', SERVICE, { secretFrom: { env: 'A_CLIENT_SECRET' } })

/** Starts another instance of the scene in this process, and gives what it has logged of files. */
async function start(t: Test, { env }: DeclarativeScene, files: string, more: object = {}) {
  const lines: Record<string, unknown>[] = []
  const logger = createLogger('info', {
    write: (line: string) => void lines.push(JSON.parse(line)),
  })
  const given = { ...env, LINEAGE_APPLY_FILE: files, ...more }
  const config = loadConfig(given)
  if (config.mode !== 'server') throw new Error('not a server')
  const service = await openService({ config, logger, applyEnv: given })
  t.teardown(() => service.close())
  const applied = lines.filter(({ event }) => event === 'declaration.applied')
  return { service, lines, applied: applied.map(({ changed, unchanged }) => [changed, unchanged]) }
}

/** How many clients events say were made, once there are as many as expected: they are written a moment later. */
function countCreated({ app }: DeclarativeScene, expected: number): Promise<number> {
  return until('the events', async () => {
    const { length } = await readEvents(app, '&type=client.created')
    return length >= expected && length
  })
}

test('files are applied at a start, and in force when it serves; the next start changes nothing', async (t) => {
  const scene = await openDeclarativeScene(t)
  const files = [
    await scene.write('jobs.yaml', jobs),
    await scene.write('more.yaml', [
      publicClient('web'),
      resource('TrustedIssuer', 'idp', {
        ...{ issuer: 'https://idp.example.com', kind: 'oidc' },
        jwksUri: 'https://idp.example.com/keys',
      }),
      resource('User', 'ada', { email: 'ada@example.com' }),
    ]),
  ]
  const first = await start(t, scene, files.join(','))
  t.strictSame(first.applied, [[4, 0]])
  t.equal(first.service.clients.overview().count, 2, 'in force')
  t.ok(first.service.trustedIssuers.find('idp'))
  t.notMatch(JSON.stringify(first.lines), CLIENT_SECRET)
  const before = await scene.snapshot()
  t.strictSame((await start(t, scene, files.join(','))).applied, [[0, 4]])
  await scene.write('more.yaml', [publicClient('web')])
  t.strictSame((await start(t, scene, files.join(','))).applied, [[0, 2]], 'nothing is pruned')
  // The rows alone: each start looks after keys.
  t.equal(await scene.snapshot(), before)
  t.equal(await countCreated(scene, 2), 2)
})

test('instances that start together apply once', async (t) => {
  const scene = await openDeclarativeScene(t)
  const path = await scene.write(
    'many.yaml',
    Array.from({ length: 10 }, (_, i) => publicClient(`client-${i}`)),
  )
  const all = await Promise.all([1, 2, 3].map(() => start(t, scene, path)))
  t.strictSame(all.flatMap(({ applied }) => applied).sort(), [
    [0, 10],
    [0, 10],
    [10, 0],
  ])
  for (const { service } of all) t.equal(service.clients.overview().count, 10, 'in force')
  t.equal(await countCreated(scene, 10), 10)
})

test('a wrong file refuses the start with one line, also where tables are only checked', async (t) => {
  const scene = await openDeclarativeScene(t)
  const before = await scene.snapshot()
  const wrong: [string | object, RegExp][] = [
    [
      { ...publicClient('web'), extra: 1 },
      /^LINEAGE_APPLY_FILE: .*wrong\.yaml:1: \/extra is not known here$/,
    ],
    [
      [publicClient('web'), { kind: 'Nothing' }, 1],
      /\/kind must be one of .* \(`lineage apply --dry-run` tells 1 more\)$/,
    ],
    [resource('Client', 'jobs', SERVICE), /Client jobs: \/secretFrom is required/],
    ['a: [', /wrong\.yaml:1: /],
  ]
  for (const [content, expected] of wrong) {
    const path = await scene.write('wrong.yaml', content)
    const { line } = await startFails(t, { ...scene.env, LINEAGE_APPLY_FILE: path })
    t.match(line, expected)
  }
  const path = await scene.write('wrong.yaml', 'a: [')
  for (const LINEAGE_MIGRATE of ['check', 'off']) {
    const env = { ...scene.env, LINEAGE_APPLY_FILE: path, LINEAGE_MIGRATE }
    t.match((await startFails(t, env)).line, /^LINEAGE_APPLY_FILE: /)
  }
  t.equal(await scene.snapshot(), before)
  const good = await scene.write('good.yaml', publicClient('web'))
  t.strictSame((await start(t, scene, good, { LINEAGE_MIGRATE: 'off' })).applied, [[1, 0]])
})

test('one of several workers applies them, and a replaced one does not', async (t) => {
  const scene = await openDeclarativeScene(t)
  const path = await scene.write('jobs.yaml', [jobs, publicClient('web')])
  const workers = await startWorkers(t, { ...scene.env, LINEAGE_APPLY_FILE: path })
  const applied = () => workers.service.log('declaration.applied')
  t.match(applied(), [{ changed: 2, unchanged: 0, worker: 1 }])
  await scene.write('jobs.yaml', [jobs, publicClient('web', { name: 'Another' })])
  await workers.replace(1)
  t.equal(applied().length, 1)
})

test('in embedded mode they are applied as well', async (t) => {
  const scene = await openDeclarativeScene(t)
  const path = await scene.write('jobs.yaml', [jobs])
  const LINEAGE_DATA_DIR = await scene.write('unused', '').then((file) => `${file}-data`)
  const env = { LINEAGE_DATA_DIR, LINEAGE_APPLY_FILE: path, A_CLIENT_SECRET: CLIENT_SECRET }
  const service = await startLineage(t, env)
  t.match(service.log('declaration.applied'), [{ changed: 1, unchanged: 0 }])
  const form = { grant_type: 'client_credentials', client_id: 'jobs', client_secret: CLIENT_SECRET }
  t.equal((await service.form('/token', form)).status, 200)
  service.signal('SIGTERM')
  await service.exited
})

test('a command that is killed between two resources leaves whole ones, and the next does the rest', async (t) => {
  const scene = await openDeclarativeScene(t)
  await scene.query(`CREATE FUNCTION hold() RETURNS trigger AS
    $$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END $$ LANGUAGE plpgsql`)
  await scene.query(`CREATE TRIGGER hold BEFORE INSERT ON clients FOR EACH ROW
    WHEN (NEW.id = 'second') EXECUTE FUNCTION hold()`)
  await scene.query('SELECT pg_advisory_lock(4711)')
  const resources = ['first', 'second', 'third'].map((name) => publicClient(name))
  const path = await scene.write('three.yaml', resources)
  const child = spawnCommand(t, scene.env, ['apply', '-f', path])
  if (child.stdout) {
    for await (const line of createInterface(child.stdout)) {
      if (line === 'Client first created') break
    }
  }
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  await scene.query('SELECT pg_advisory_unlock(4711)')
  await until('its connections are over', async () => {
    const rows = await scene.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    return rows.length === 0
  })
  const again = await scene.run(['apply', '-f', path])
  t.equal(again.code, 0, again.stderr)
  t.match(again.stdout, /Plan: [12] to make/)
  t.strictSame(
    await scene.query('SELECT id, grant_types FROM clients ORDER BY id'),
    ['first', 'second', 'third'].map((id) => ({ id, grant_types: ['password', 'refresh_token'] })),
  )
})
