// The whole suite on the stand-in, which is correct until it is told a mutation, and the table of
// mutations itself.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { runConformance } from '../src/run-checks.ts'
import type { Mutation } from './stand-in/mutation-table.ts'
import { MUTATIONS, nameResult, openStandIn } from './stand-in/prove-mutations.ts'
import { TLS_OPTIONS } from './tested-certificates.ts'

const FOLDER = join(import.meta.dirname, 'stand-in')

test('no row fails on a correct service that shares no code with this one', async (t) => {
  const { issuer, credentials, resourceUrl } = await openStandIn(t, [])
  const { rows } = await runConformance({ issuer, credentials, resourceUrl })
  t.strictSame(rows.filter(({ status }) => status === 'FAIL').map(nameResult), [])
  t.ok(rows.some(({ status }) => status === 'PASS'))
})

test('C37 takes the end of a connection for the refusal of its certificate, and for nothing else', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const listener = { ...TLS_OPTIONS, maxVersion, rejectUnauthorized: true }
    const look = async (mutations: readonly Mutation[], tlsOptions: typeof TLS_OPTIONS) => {
      const standIn = await openStandIn(t, mutations, false, tlsOptions)
      return (await runConformance({ ...standIn, only: ['C37'] })).rows.map(nameResult)
    }
    t.strictSame(await look([], listener), ['C37 PASS '])
    t.match(await look(['certificate-name-ignored'], listener), [/^C37 FAIL somebody else's cert/])
    const { ca: _, ...nobodys } = listener
    t.match(await look([], nobodys), ['C37 FAIL a client with its certificate was refused by TLS'])
  }
})

test('the stand-in shares no code with src', async (t) => {
  for (const name of readdirSync(FOLDER)) {
    if (name === 'prove-mutations.ts') continue
    t.notMatch(readFileSync(join(FOLDER, name), 'utf8'), /from '[./]*\/src\//, name)
  }
})

test('the mutations cover at least 25 rows, and the stand-in knows each of them', async (t) => {
  t.ok(new Set(MUTATIONS.map(([, { row }]) => row)).size >= 25)
  const code = readdirSync(FOLDER)
    .filter((name) => name !== 'mutation-table.ts')
    .map((name) => readFileSync(join(FOLDER, name), 'utf8'))
    .join('\n')
  for (const [mutation] of MUTATIONS) {
    t.ok(code.includes(`has('${mutation}')`), `${mutation} stands in the code`)
  }
})
