// The command `lineage-conformance`, from its arguments to its exit code: the checklist against any
// token service, over HTTP alone.

import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { CHECKLIST } from './checklist.ts'
import { type CommandContext, CommandFailure } from './command-context.ts'
import type { Credentials } from './credentials.ts'
import { formatJunit } from './junit-report.ts'
import { parseCredentials } from './parse-credentials.ts'
import { toPrintable } from './printable-text.ts'
import { readSecrets } from './read-secrets.ts'
import { readText } from './read-text.ts'
import { type ConformanceReport, type RowResult, runConformance } from './run-checks.ts'
import { formatRow, formatSummary } from './text-report.ts'

const AFTER_HELP = `
Examples:
  $ lineage-conformance http://localhost:3000 --credentials .lineage/demo.json
  $ lineage-conformance https://auth.example.com --client-id tester --username ada
  $ lineage-conformance https://auth.example.com --only C49,C53 --json < secrets

Exit codes: 0 no row failed, 1 a row failed or nothing could be looked at, 2 wrong usage.
Secrets come by a prompt or by standard input, never as arguments.`

interface ConformanceOptions {
  readonly credentials?: string
  readonly clientId?: string
  readonly username?: string
  readonly resourceUrl?: string
  readonly only?: readonly string[]
  readonly flood?: boolean
  readonly junit?: string
  readonly json?: boolean
}

/** The exit code: 0 no row failed, 1 failed, 2 wrong usage. Never rejects. */
export async function runCommandLine(
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  try {
    let failedRows = 0
    const command = buildCommand(context).action(async (issuer, options) => {
      if (!isHttpUrl(issuer)) command.error('error: the issuer must be an http or https URL')
      if (options.username !== undefined && options.clientId === undefined) {
        command.error('error: --username needs --client-id')
      }
      failedRows = await conform(issuer, options, context)
    })
    await command.parseAsync(args, { from: 'user' })
    if (failedRows === 0) return 0
    context.stderr.write(`lineage-conformance: rows failed: ${failedRows}\n`)
    return 1
  } catch (error) {
    // Commander has said all there is to say; help that was asked for is no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const message = describeFailure(error)
    context.stderr.write(`lineage-conformance: ${message}\n`)
    if (args.includes('--json')) writeJson(context, { error: message })
    return 1
  }
}

/** Names, options and help, without what it does. Errors and `--help` throw CommanderError. */
export function buildCommand(context: CommandContext): Command {
  return new Command('lineage-conformance')
    .description('Looks at any OAuth 2.0 token service from outside, row by row of the checklist.')
    .argument('<issuer>', 'as the service names itself')
    .addOption(
      new Option(
        '--credentials <file>',
        'clients and users to test with, as JSON; - is stdin',
      ).conflicts(['clientId', 'username']),
    )
    .option('--client-id <id>', 'a client to test with; its secret is asked for')
    .option('--username <name>', 'a user who may log in there; the password is asked for')
    .option('--resource-url <url>', 'a resource that takes the access tokens', parseUrl)
    .option('--only <rows>', 'these rows alone, such as C49,C53; may be repeated', collectRows)
    .option('--flood', 'also what sends hundreds of requests and may lock the user out')
    .option('--junit <file>', 'write the report as JUnit XML, too')
    .option('--json', 'print one JSON document in place of text')
    .addHelpText('after', AFTER_HELP)
    .exitOverride()
    .showHelpAfterError('Add --help for its options.')
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
      // A secret given where none belongs is not repeated.
      outputError: (text, write) => write(text.replace(/'(--?[\w-]+)=.*'/s, "'$1'")),
    })
}

/** Looks, prints, and gives the number of rows that failed. */
async function conform(
  issuer: string,
  options: ConformanceOptions,
  context: CommandContext,
): Promise<number> {
  const { json, junit, only, flood = false, resourceUrl } = options
  const credentials = await readCredentials(options, context)
  const print = (text: string) => {
    for (const line of text.split('\n')) context.stdout.write(`${toPrintable(line)}\n`)
  }
  const report = await run({
    issuer,
    credentials,
    flood,
    ...(resourceUrl !== undefined && { resourceUrl }),
    ...(only && { only }),
    onRow: json ? () => {} : (result: RowResult) => print(formatRow(result)),
  })
  if (junit !== undefined) await writeJunit(junit, report)
  if (json) writeJson(context, report)
  else print(`\n${formatSummary(report)}`)
  return report.summary.failed
}

async function run(options: Parameters<typeof runConformance>[0]): Promise<ConformanceReport> {
  try {
    return await runConformance(options)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new CommandFailure(`there is no metadata of this issuer (${toPrintable(why)})`)
  }
}

async function readCredentials(
  { credentials: file, clientId: id, username }: ConformanceOptions,
  context: CommandContext,
): Promise<Credentials> {
  if (file !== undefined) {
    const input = file === '-' ? context.stdin : createReadStream(file)
    const text = await readText(input, 'the credentials')
    try {
      return parseCredentials(text)
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      throw new CommandFailure(`the credentials are not valid: ${error.message}`)
    }
  }
  if (id === undefined) return {}
  const names = ['client secret', ...(username === undefined ? [] : ['password'])]
  const [secret = '', password = ''] = await readSecrets(context, names)
  return {
    // A public client has no secret.
    ...(secret === '' ? { publicClient: { id } } : { confidentialClient: { id, secret } }),
    ...(username !== undefined && { user: { username, password } }),
  }
}

async function writeJunit(file: string, report: ConformanceReport): Promise<void> {
  try {
    await writeFile(file, formatJunit(report))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown'
    throw new CommandFailure(`the JUnit file cannot be written (${code})`)
  }
}

function writeJson({ stdout }: CommandContext, document: object): void {
  stdout.write(`${JSON.stringify(document, null, 2)}\n`)
}

/** What nobody foresaw has its stack in it, for whoever reports it. */
function describeFailure(error: unknown): string {
  if (error instanceof CommandFailure) return error.message
  return `unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

function parseUrl(text: string): string {
  if (!isHttpUrl(text)) throw new InvalidArgumentError('It must be an http or https URL.')
  return text
}

function collectRows(text: string, before: readonly string[] = []): string[] {
  const rows = text.split(',').map((row) => row.trim().toUpperCase())
  const known = new Set(CHECKLIST.map(({ row }) => row))
  if (!rows.every((row) => known.has(row))) throw new InvalidArgumentError('There is no such row.')
  return [...before, ...rows]
}
