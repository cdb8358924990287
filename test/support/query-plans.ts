// How PostgreSQL really ran each statement of a piece of work: its own explanation of every one, with
// the rows and blocks that were read, as the extension auto_explain tells them to the client.

import type { Test } from 'tap'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { openTestDatabase, runAsAdmin } from './postgres.ts'

/** What one step of a plan read. */
export interface PlanStep {
  /** Such as `Index Scan` or `Sort`. */
  readonly type: string
  readonly table: string | undefined
  readonly index: string | undefined
  /** Rows that it gave on or looked at in vain, in all its loops. */
  readonly rows: number
}

export interface QueryPlan {
  readonly text: string
  readonly steps: readonly PlanStep[]
  /** Blocks of 8 KiB that were touched, in memory or not. */
  readonly blocks: number
}

export interface PlannedDatabase {
  readonly database: Database
  readonly url: string
  /** Statements that explain nothing and take as long as they do, for what a test sets up. */
  prepare(statements: string): Promise<void>
  /** Of every statement that `work` runs, on whichever connection of this database's pool. */
  plansOf(work: () => Promise<unknown>): Promise<readonly QueryPlan[]>
}

const SETTINGS = [
  `session_preload_libraries = 'auto_explain'`,
  'auto_explain.log_min_duration = 0',
  'auto_explain.log_analyze = on',
  'auto_explain.log_buffers = on',
  'auto_explain.log_timing = off',
  `auto_explain.log_format = 'json'`,
  'auto_explain.log_nested_statements = on',
  `client_min_messages = 'log'`,
]

/** A migrated database of its own that explains what it does. */
export async function openPlannedDatabase(t: Test): Promise<PlannedDatabase> {
  const { url } = await openTestDatabase(t)
  const name = new URL(url).pathname.slice(1)
  for (const setting of SETTINGS) await runAsAdmin(url, `ALTER DATABASE ${name} SET ${setting}`)
  const database = openDatabase(url)
  t.teardown(() => database.close())
  let told: string[] = []
  database.pool.on('connect', (client) => {
    client.on('notice', ({ message }) => told.push(message ?? ''))
  })
  await database.prisma()
  return {
    database,
    url,
    async prepare(statements) {
      await runAsAdmin(url, `SET auto_explain.log_min_duration = -1; ${statements}`)
    },
    async plansOf(work) {
      told = []
      await work()
      return told.flatMap(parsePlan)
    },
  }
}

interface Explained {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly 'Shared Hit Blocks': number
  readonly 'Shared Read Blocks': number
  readonly Plans?: readonly Explained[]
}

function parsePlan(message: string): QueryPlan[] {
  const start = message.indexOf('{')
  if (!message.startsWith('duration:') || start < 0) return []
  const told = JSON.parse(message.slice(start)) as { 'Query Text': string; Plan: Explained }
  const { Plan: top } = told
  const blocks = top['Shared Hit Blocks'] + top['Shared Read Blocks']
  return [{ text: told['Query Text'], steps: stepsOf(top), blocks }]
}

function stepsOf(node: Explained): PlanStep[] {
  const removed =
    (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
  const step = {
    type: node['Node Type'],
    table: node['Relation Name'],
    index: node['Index Name'],
    rows: (node['Actual Rows'] + removed) * node['Actual Loops'],
  }
  return [step, ...(node.Plans ?? []).flatMap(stepsOf)]
}

/** The indexes that a piece of work read, each once, in the order of their names. */
export function indexesOf(plans: readonly QueryPlan[]): string[] {
  const indexes = plans.flatMap(({ steps }) => steps.flatMap(({ index }) => index ?? []))
  return [...new Set(indexes)].sort()
}

/** The most rows that any step read, and the blocks of all statements. */
export function readingOf(plans: readonly QueryPlan[]) {
  return {
    rows: Math.max(...plans.flatMap(({ steps }) => steps.map(({ rows }) => rows))),
    blocks: plans.reduce((sum, { blocks }) => sum + blocks, 0),
  }
}

/** Steps that read a table from its beginning. */
export function scansOf(plans: readonly QueryPlan[], table: string): string[] {
  return plans.flatMap(({ steps }) =>
    steps
      .filter((step) => step.type === 'Seq Scan' && step.table === table)
      .map(({ type }) => type),
  )
}
