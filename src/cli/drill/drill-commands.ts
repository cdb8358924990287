// `lineage drill …`: rehearsals of bad days on a staging instance. Each prints a plan made of what it reads,
// and does it only with `--execute` and the name of the issuer, typed.

import type { Command } from 'commander'
import type { Redis } from 'ioredis'
import { parseRedisUrl } from '../../config/redis-url.ts'
import { openDatabaseClock } from '../../database/database-clock.ts'
import { checkTables, contactDatabase } from '../../database/first-contact.ts'
import { openRedis } from '../../redis/redis-connection.ts'
import type { RedisTarget } from '../../redis/redis-target.ts'
import { addCommand, parseWholeNumber } from '../add-command.ts'
import type { CommandContext, OutputOptions } from '../command-context.ts'
import { CommandFailure } from '../command-failure.ts'
import { printResult } from '../command-output.ts'
import {
  type CommandDatabase,
  type CommandUsers,
  withDatabase,
  withUsers,
} from '../command-stores.ts'
import { waitForMasters } from '../doctor/redis-servers.ts'
import { type DrillPlan, formatReport, type Observation, toReport } from './drill-plan.ts'
import { openProbe, type Probe } from './drill-probe.ts'
import { executeKeyLeak, planKeyLeak } from './key-leak-drill.ts'
import { executeRedisLoss } from './redis-loss-drill.ts'
import { planRedisLoss } from './redis-loss-plan.ts'
import { executeRootSecret, planRootSecret } from './root-secret-drill.ts'

interface DrillOptions extends OutputOptions {
  readonly dryRun?: boolean
  readonly execute?: boolean
  readonly confirm?: string
  readonly url?: string
}

type MakePlan = (opened: CommandDatabase) => Promise<DrillPlan>
type Execute = (stores: CommandUsers, probe: Probe) => Promise<readonly Observation[]>

export function addDrillCommands(program: Command, context: CommandContext): void {
  const drill = program.command('drill').description('rehearse a bad day on a staging instance')
  addDrill(drill, 'key-leak', 'a signing key is in the wrong hands').action(
    (options: DrillOptions) => runDrill(context, options, planKeyLeak, executeKeyLeak),
  )
  addDrill(drill, 'root-secret', 'a root secret has to go')
    .option('--secret <id>', 'the id of the one that goes; else the last', parseWholeNumber)
    .action((options: DrillOptions & { secret?: number }) =>
      runDrill(
        context,
        options,
        (opened) => planRootSecret(opened, options.secret),
        (stores, probe) => executeRootSecret(stores, probe, options.secret),
      ),
    )
  addDrill(drill, 'redis-loss', 'Redis has lost everything')
    .option('--redis-url <url>', 'with --execute: the Redis that may be emptied')
    .action((options: DrillOptions & { redisUrl?: string }) => runRedisLoss(context, options))
}

function addDrill(parent: Command, name: string, what: string): Command {
  const execute = `lineage drill ${name} --execute --confirm auth.staging.example.com`
  const more = name === 'redis-loss' ? ' --redis-url redis://redis.staging.example.com' : ''
  return addCommand(parent, {
    usage: name,
    summary: `${what}: print what would be refused, and until when`,
    examples: [`lineage drill ${name}`, `${execute}${more}`],
  })
    .option('--dry-run', 'print the plan and change nothing, as without any option')
    .option('--execute', 'do it, and watch the running instances')
    .option('--confirm <host>', 'with --execute: the host of the issuer, typed')
    .option('--url <url>', 'where the running instances are; else at the issuer')
}

async function runDrill(
  context: CommandContext,
  options: DrillOptions,
  makePlan: MakePlan,
  execute: Execute,
): Promise<void> {
  if (!options.execute) {
    const plan = await withDatabase(context, async (opened) => {
      const { database } = opened
      await contactDatabase(database.pool)
      await checkTables(database.pool)
      const { now: clock, read } = openDatabaseClock(database)
      await read()
      return await makePlan({ ...opened, clock })
    })
    print(context, options, plan)
    return
  }
  if (options.dryRun) throw new CommandFailure('--dry-run and --execute are two things')
  const { plan, observations } = await withUsers(context, async (stores) => {
    requireConfirmation(stores.config.issuer, options.confirm)
    const plan = await makePlan(stores)
    await stores.settle()
    const probe = await openProbe(stores, options.url ?? stores.config.issuer)
    try {
      return { plan, observations: await execute(stores, probe) }
    } finally {
      await probe.close()
    }
  })
  print(context, options, plan, observations)
}

function print(
  context: CommandContext,
  options: DrillOptions,
  plan: DrillPlan,
  observations?: readonly Observation[],
): void {
  const report = toReport(plan, observations)
  printResult(context, options, report, formatReport(report))
  if (!report.ok) {
    throw new CommandFailure('not everything was as the plan said', { isReported: true })
  }
}

/** Not shown in the message: who confirms has looked up where he is. */
function requireConfirmation(issuer: string, confirmed: string | undefined): void {
  if (confirmed === new URL(issuer).host) return
  throw new CommandFailure(
    confirmed === undefined
      ? '--execute needs --confirm with the host of the issuer'
      : 'what was confirmed is not the host of the issuer of this environment',
  )
}

async function runRedisLoss(
  context: CommandContext,
  options: DrillOptions & { readonly redisUrl?: string },
): Promise<void> {
  let connected: { readonly masters: readonly Redis[]; close(): void } | undefined
  const connect = async ({ config: { redis } }: Pick<CommandDatabase, 'config'>) => {
    if (!redis) throw new CommandFailure('sessions are in PostgreSQL here: REDIS_URL is not set')
    if (options.execute) requireSameRedis(redis, options.redisUrl)
    connected ??= await connectMasters(redis)
    return connected.masters
  }
  try {
    await runDrill(
      context,
      options,
      async (opened) => await planRedisLoss(opened, await connect(opened)),
      async (stores, probe) => await executeRedisLoss(stores, probe, await connect(stores)),
    )
  } finally {
    connected?.close()
  }
}

/** The servers are named a second time, so that nobody empties what an environment happens to say. */
function requireSameRedis(configured: RedisTarget, given: string | undefined): void {
  const placesOf = ({ mode, nodes, db }: RedisTarget) => JSON.stringify([mode, nodes, db])
  if (given === undefined) throw new CommandFailure('--execute needs --redis-url here')
  if (placesOf(readRedisUrl(given)) !== placesOf(configured)) {
    throw new CommandFailure('--redis-url is not what REDIS_URL of this environment names')
  }
}

function readRedisUrl(text: string): RedisTarget {
  try {
    return parseRedisUrl(text)
  } catch {
    throw new CommandFailure('--redis-url is no URL of Redis')
  }
}

async function connectMasters(target: RedisTarget) {
  let lastError = 'no answer'
  const client = openRedis(target, (detail) => {
    lastError = detail
  })
  const masters = await waitForMasters(client)
  if (masters.length === 0) {
    client.disconnect()
    throw new CommandFailure(`Redis cannot be reached: ${lastError}`)
  }
  return { masters, close: () => client.disconnect() }
}
