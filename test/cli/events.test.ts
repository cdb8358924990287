// `lineage events tail`: the past oldest first, and what happens while it runs.

import { createInterface } from 'node:readline'
import pg from 'pg'
import { test } from 'tap'
import { startApp } from '../support/app.ts'
import { runHere, spawnCommand } from '../support/command-line.ts'
import { serverEnvironment } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { openWrongClock } from '../support/wrong-clock.ts'

test('tail prints the newest in the order of time; --follow goes on without repeating', async (t) => {
  const app = await startApp(t)
  const env = serverEnvironment(app.databaseUrl)
  for (const id of ['one', 'two', 'three']) await app.makeClient({ id })
  const made = async () => {
    const { stdout } = await runHere(env, ['events', 'tail', '--type', 'client.created', '--json'])
    return stdout.split('\n').filter(Boolean)
  }
  const lines = await until('three events', async () => {
    const found = await made()
    return found.length === 3 && found
  })
  t.strictSame(
    lines.map((line) => JSON.parse(line).clientId),
    ['one', 'two', 'three'],
  )
  const last = await runHere(env, ['events', 'tail', '--type', 'client.created', '-n', '1'])
  t.match(last.stdout, /^\d{4}-\S+Z client\.created clientId=three .*by=bootstrap-admin/)
  t.equal(last.stdout.split('\n').length, 2)

  const args = ['events', 'tail', '--follow', '--json', '-n', '2', '--type', 'client.created']
  const child = spawnCommand(t, env, args)
  const seen: string[] = []
  if (!child.stdout) throw new Error('no output')
  createInterface(child.stdout).on('line', (line) => seen.push(JSON.parse(line).clientId))
  await until('the past', () => seen.length === 2)
  await app.makeClient({ id: 'four' })
  await until('what happened meanwhile', () => seen.includes('four'))
  await app.makeClient({ id: 'five' })
  await until('and once more', () => seen.includes('five'))
  t.strictSame(seen, ['two', 'three', 'four', 'five'])
})

test('--follow on an empty trail shows what comes, however wrong the clock here is', async (t) => {
  const { url } = await openTestDatabase(t)
  const env = serverEnvironment(url)
  const args = ['events', 'tail', '--follow']
  const child = spawnCommand(t, { ...env, ...openWrongClock(3_600).env }, args)
  let shown = ''
  child.stdout?.on('data', (chunk) => {
    shown += chunk
  })
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await until('the first look', async () => {
    const { rows } = await client.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database()
         AND pid <> pg_backend_pid() AND state = 'idle' AND query LIKE 'SELECT%audit_events%'`,
    )
    return rows.length > 0
  })
  await client.end()
  await runHere(env, ['keys', 'rotate'])
  await until('the event', () => shown.includes('key.published'))
})
