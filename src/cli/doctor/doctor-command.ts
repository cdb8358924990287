// `lineage doctor`: reaches everything that the service depends on, and says of each what is wrong
// and what to do. It changes nothing.

import { type Command, InvalidArgumentError } from 'commander'
import { readConfig } from '../../config/service-config.ts'
import type { Database } from '../../database/database.ts'
import { openDatabaseClock } from '../../database/database-clock.ts'
import type { Clock } from '../../runtime/clock.ts'
import { toPrintable } from '../../runtime/printable.ts'
import { StartError } from '../../runtime/start-error.ts'
import { addCommand, parseWholeNumber } from '../add-command.ts'
import type { CommandContext, OutputOptions } from '../command-context.ts'
import { CommandFailure } from '../command-failure.ts'
import { printResult } from '../command-output.ts'
import { type CommandDatabase, withDatabase } from '../command-stores.ts'
import { examineAddress } from './address-findings.ts'
import { examineDataDir } from './data-dir-findings.ts'
import { type Finding, fail, ok, skip } from './finding.ts'
import { examineIssuer } from './issuer-findings.ts'
import { examineKeys } from './key-findings.ts'
import { examineMail } from './mail-findings.ts'
import { examinePeppers } from './pepper-findings.ts'
import { examinePostgres, MIGRATIONS } from './postgres-findings.ts'
import { examineRedis } from './redis-findings.ts'

/** Certificates of a quarter of a year are mostly renewed a month before their end. */
const CERT_DAYS = 21

interface DoctorOptions extends OutputOptions {
  readonly url?: string
  readonly certDays?: number
}

export function addDoctorCommand(program: Command, context: CommandContext): void {
  addCommand(program, {
    usage: 'doctor',
    summary: 'reach every dependency, and say what is wrong and what to do',
    examples: [
      'lineage doctor',
      'lineage doctor --json',
      'lineage doctor --url https://auth.example.com',
    ],
  })
    .option('--url <url>', 'also ask this public address as a caller does', parseAddress)
    .option('--cert-days <days>', 'how long its certificate must still be good', parseWholeNumber)
    .action((options: DoctorOptions) => runDoctor(context, options))
}

async function runDoctor(context: CommandContext, options: DoctorOptions): Promise<void> {
  const findings = await examine(context, options)
  const failed = findings.filter(({ status }) => status === 'fail').length
  const document = { ok: failed === 0, findings }
  printResult(context, options, document, findings.map(formatFinding).join('\n'))
  if (failed > 0) throw new CommandFailure(`checks failed: ${failed}`, { isReported: true })
}

/** The value of `--url`: an address without a query, since paths are put behind it. */
function parseAddress(text: string): string {
  const isAddress = /^https?:\/\/[^?#@]+$/.test(text) && URL.canParse(text)
  if (!isAddress)
    throw new InvalidArgumentError('It must be an http or https URL, without a query.')
  return text
}

async function examine(context: CommandContext, options: DoctorOptions): Promise<Finding[]> {
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
    const services = await withDatabase(context, (opened) => examineServices(opened, options))
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

async function examineServices(
  opened: CommandDatabase,
  { url, certDays = CERT_DAYS }: DoctorOptions,
): Promise<Finding[]> {
  const { config, database, clock } = opened
  const [postgres, redis, mail] = await Promise.all([
    examinePostgres(database, config, clock),
    examineRedis(config.redis, clock),
    examineMail(config.mail),
  ])
  const hasTables = postgres.some(
    ({ check, status }) => check === MIGRATIONS && status !== 'fail' && status !== 'skip',
  )
  const peppers = hasTables ? [await examinePeppers(database, config)] : []
  const { findings: keys, publishedKids } = hasTables
    ? await examineKeys(database, config, clock())
    : { findings: [skip('signing keys', 'the tables are not to be had')], publishedKids: undefined }
  const issuer = await examineIssuer(config.issuer, publishedKids)
  const isThere = postgres[0]?.status !== 'fail'
  const address =
    url === undefined
      ? []
      : await examineAddress({
          ...{ url, config, certDays },
          database: isThere && hasTables ? database : undefined,
          clock: isThere ? await readClock(database) : clock,
        })
  return [...postgres, ...redis, ...mail, ...keys, ...peppers, ...issuer, ...address]
}

/** The clock that the instances share. */
async function readClock(database: Database): Promise<Clock> {
  const { now, read } = openDatabaseClock(database)
  await read()
  return now
}

function formatFinding({ check, status, detail, advice }: Finding): string {
  const line = `${status.padEnd(4)}  ${check}: ${detail}`
  return toPrintable(line) + (advice === undefined ? '' : `\n        -> ${toPrintable(advice)}`)
}
