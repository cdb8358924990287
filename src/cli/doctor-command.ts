// `lineage doctor`: reaches everything that the service depends on, and says of each what is wrong
// and what to do. It changes nothing.

import type { Command } from 'commander'
import { readConfig } from '../config/service-config.ts'
import { toPrintable } from '../runtime/printable.ts'
import { StartError } from '../runtime/start-error.ts'
import { addCommand } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { CommandFailure } from './command-failure.ts'
import { printResult } from './command-output.ts'
import { type CommandDatabase, withDatabase } from './command-stores.ts'
import { examineDataDir } from './data-dir-findings.ts'
import { type Finding, fail, ok, skip } from './finding.ts'
import { examineIssuer } from './issuer-findings.ts'
import { examineKeys } from './key-findings.ts'
import { examineMail } from './mail-findings.ts'
import { examinePostgres, MIGRATIONS } from './postgres-findings.ts'
import { examineRedis } from './redis-findings.ts'

export function addDoctorCommand(program: Command, context: CommandContext): void {
  addCommand(program, {
    usage: 'doctor',
    summary: 'reach every dependency, and say what is wrong and what to do',
    examples: ['lineage doctor', 'lineage doctor --json'],
  }).action(async (options: OutputOptions) => {
    const findings = await examine(context)
    const count = (status: Finding['status']) => findings.filter((one) => one.status === status)
    const failed = count('fail').length
    const document = { ok: failed === 0, findings }
    printResult(context, options, document, findings.map(formatFinding).join('\n'))
    if (failed > 0) throw new CommandFailure(`checks failed: ${failed}`, { isReported: true })
  })
}

async function examine(context: CommandContext): Promise<Finding[]> {
  const read = readConfig(context.env)
  if ('problems' in read) {
    const advice = 'mend the environment; README.md has the table of settings'
    return read.problems.map((problem) => fail('configuration', problem, advice))
  }
  const { config } = read
  const configuration = ok('configuration', `${config.mode} mode`)
  const dataDir =
    config.mode === 'embedded'
      ? await examineDataDir(config.dataDir)
      : skip('data directory', 'of embedded mode only')
  try {
    const services = await withDatabase(context, examineServices)
    return [configuration, dataDir, ...services]
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    // The embedded database is missing or does not start, or a server's database has a wrong
    // encoding.
    const advice =
      config.mode === 'embedded'
        ? 'start the service with `lineage serve`, or set DATABASE_URL'
        : 'mend the database that DATABASE_URL names, or name another'
    return [configuration, dataDir, fail('postgresql', error.message, advice)]
  }
}

async function examineServices(opened: CommandDatabase): Promise<Finding[]> {
  const { config, database, clock } = opened
  const [postgres, redis, mail] = await Promise.all([
    examinePostgres(database, clock),
    examineRedis(config.redis, clock),
    examineMail(config.mail),
  ])
  const hasTables = postgres.some(({ check, status }) => check === MIGRATIONS && status === 'ok')
  const { findings: keys, publishedKids } = hasTables
    ? await examineKeys(database, config, clock())
    : { findings: [skip('signing keys', 'the tables are not to be had')], publishedKids: undefined }
  const issuer = await examineIssuer(config.issuer, publishedKids)
  return [...postgres, ...redis, ...mail, ...keys, ...issuer]
}

function formatFinding({ check, status, detail, advice }: Finding): string {
  const line = `${status.padEnd(4)}  ${check}: ${detail}`
  return toPrintable(line) + (advice === undefined ? '' : `\n        -> ${toPrintable(advice)}`)
}
