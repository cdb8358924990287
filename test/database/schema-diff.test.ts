// schema.prisma and the migrations say the same, as Prisma's own schema engine sees it.

import { readFile } from 'node:fs/promises'
import { test } from 'tap'
import { openReadyDatabase } from '../support/database.ts'
import { openEmptyDatabase } from '../support/postgres.ts'
import { openSchemaEngine } from '../support/schema-engine.ts'

test('the migrations make exactly the tables of schema.prisma', async (t) => {
  const { url } = await openEmptyDatabase(t)
  const schema = await readFile(new URL('../../prisma/schema.prisma', import.meta.url), 'utf8')
  const engine = await openSchemaEngine(url)
  t.teardown(() => engine.close())
  t.match(await engine.diff(schema), 'CREATE TABLE "users"', 'an empty database lacks all of it')

  await openReadyDatabase(t, url)
  const difference = await engine.diff(schema)
  t.match(difference, /^-- This is an empty migration\.\s*$/, `lacks: ${difference}`)

  const edits: [string, string, string][] = [
    ['"forwards_client_ip"', '"forwards_ip"', 'ADD COLUMN     "forwards_ip"'],
    ['@default("active")', '', 'ALTER COLUMN "status" DROP DEFAULT'],
    ['longestTokenSeconds Int ', 'longestTokenSeconds BigInt ', 'SET DATA TYPE BIGINT'],
    ['@@index([clientId])', '', 'DROP INDEX "client_secrets_client_id_idx"'],
    ['onDelete: Cascade', 'onDelete: Restrict', 'ON DELETE RESTRICT'],
    ['clock_timestamp()', 'now()', 'SET DEFAULT now()'],
  ]
  for (const [from, to, expected] of edits) {
    t.ok(schema.includes(from), `the schema says ${from}`)
    t.match(await engine.diff(schema.replace(from, to)), expected, `${from} -> ${to}`)
  }
})
