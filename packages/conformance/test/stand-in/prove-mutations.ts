// The proof that rows can fail: each mutation of the stand-in, told to a fresh one, fails its row,
// and the same row passes without it.

import { type Test, test } from 'tap'
import { type RowResult, runConformance } from '../../src/run-checks.ts'
import { TLS_OPTIONS } from '../tested-certificates.ts'
import { MUTATION_TABLE, type Mutation, type MutationEntry } from './mutation-table.ts'
import { type StandIn, startStandIn } from './start-stand-in.ts'

export const MUTATIONS = Object.entries(MUTATION_TABLE) as readonly [Mutation, MutationEntry][]

/** One test for each mutation of the rows from `first` to `last`, and one without any. */
export function proveMutations(first: number, last: number): void {
  const proven = MUTATIONS.filter(([, { row }]) => {
    const number = Number(row.slice(1))
    return number >= first && number <= last
  })

  test('without a mutation each of these rows passes', async (t) => {
    const ways = new Map(proven.map(([, { row, flood, nonce }]) => [row, { flood, nonce }]))
    const calm = [...ways].filter(([, { flood, nonce }]) => !flood && !nonce).map(([row]) => row)
    const results = [...(await run(await openStandIn(t, []), calm))]
    // Whoever floods is blocked for a while: each of them has a service of its own.
    for (const [row, { flood, nonce }] of ways) {
      if (calm.includes(row)) continue
      results.push(...(await run(await openStandIn(t, [], nonce), [row], flood)))
    }
    t.strictSame(results.filter(({ status }) => status !== 'PASS').map(nameResult), [])
    t.equal(results.length, ways.size)
  })

  for (const [mutation, { row, breaks, flood, nonce }] of proven) {
    test(`${row} fails where ${breaks} (${mutation})`, async (t) => {
      const [result] = await run(await openStandIn(t, [mutation], nonce), [row], flood)
      t.equal(result?.status, 'FAIL', result?.reason ?? 'the row passed')
      t.notMatch(result?.reason, /broke down|not done after/, 'the row saw it, and did not stumble')
    })
  }
}

export async function openStandIn(
  t: Test,
  mutations: readonly Mutation[],
  asksForNonce = false,
  tlsOptions = TLS_OPTIONS,
): Promise<StandIn> {
  const standIn = await startStandIn(mutations, asksForNonce, tlsOptions)
  t.teardown(() => standIn.close())
  return standIn
}

async function run(
  { issuer, credentials, resourceUrl }: StandIn,
  only: readonly string[],
  flood = false,
): Promise<readonly RowResult[]> {
  if (only.length === 0) return []
  return (await runConformance({ issuer, credentials, resourceUrl, only, flood })).rows
}

export const nameResult = ({ row, status, reason = '' }: RowResult): string =>
  `${row} ${status} ${reason}`
