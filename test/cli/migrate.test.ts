// `lineage migrate`: the tables come once, and a command never makes them by itself.

import { readdirSync } from 'node:fs'
import { test } from 'tap'
import { runCommand, runHere, runJson } from '../support/command-line.ts'
import { serverEnvironment } from '../support/lineage-process.ts'
import { openEmptyDatabase } from '../support/postgres.ts'

const ALL = readdirSync('prisma/migrations', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort()

test('migrations are told of, applied once, and then complete', async (t) => {
  const env = serverEnvironment((await openEmptyDatabase(t)).url)
  const refused = await runCommand(t, env, ['keys', 'list'])
  t.match(refused, { code: 1, stdout: '', stderr: /lacks migrations: .*`lineage migrate`/ })

  t.strictSame(await runJson(t, env, ['migrate', '--check'], { code: 1 }), { pending: ALL })
  const listed = await runHere(env, ['migrate', '--check'])
  t.match(listed, { code: 1, stdout: `${ALL.join('\n')}\n`, stderr: /pending migrations: \d/ })

  t.strictSame(await runJson(t, env, ['migrate']), { applied: ALL })
  t.strictSame(await runJson(t, env, ['migrate']), { applied: [] })
  t.strictSame(await runJson(t, env, ['migrate', '--check']), { pending: [] })
  t.match(await runHere(env, ['keys', 'list']), { code: 0 })
})

test('a PostgreSQL that is not there is told of at once', async (t) => {
  const env = serverEnvironment('postgres://nobody:hunter2@127.0.0.1:1/nothing')
  const result = await runHere(env, ['migrate'])
  t.match(result, { code: 1, stdout: '', stderr: /postgresql is unavailable: .*`lineage doctor`/ })
  t.notMatch(result.stderr, 'hunter2')
})
