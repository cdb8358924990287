// `lineage conformance`: the checklist against any token service, over HTTP alone. It needs no
// configuration of ours and knows nothing of what is behind the issuer.

import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { CHECKLIST } from '../conformance/checklist.ts'
import type { Credentials } from '../conformance/credentials.ts'
import { formatJunit } from '../conformance/junit-report.ts'
import { parseCredentials } from '../conformance/parse-credentials.ts'
import {
  type ConformanceReport,
  type RowResult,
  runConformance,
} from '../conformance/run-checks.ts'
import { formatRow, formatSummary } from '../conformance/text-report.ts'
import { addCommand } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { CommandFailure } from './command-failure.ts'
import { toPrintable } from './command-output.ts'
import { readSecrets } from './secret-input.ts'

const CREDENTIALS_BYTES_MAX = 64 * 1024

interface ConformanceOptions extends OutputOptions {
  readonly credentials?: string
  readonly clientId?: string
  readonly username?: string
  readonly resourceUrl?: string
  readonly only?: readonly string[]
  readonly flood?: boolean
  readonly junit?: string
}

export function addConformanceCommand(program: Command, context: CommandContext): void {
  const command = addCommand(program, {
    usage: 'conformance <issuer>',
    summary: 'look at any OAuth 2.0 token service from outside, row by row of the checklist',
    examples: [
      'lineage conformance http://localhost:3000 --credentials .lineage/demo.json',
      'lineage conformance https://auth.example.com --client-id tester --username ada',
      'lineage conformance https://auth.example.com --only C49,C53 --json < secrets',
    ],
  })
  command
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
    .action(async (issuer: string, options: ConformanceOptions) => {
      if (!isHttpUrl(issuer)) command.error('error: the issuer must be an http or https URL')
      if (options.username !== undefined && options.clientId === undefined) {
        command.error('error: --username needs --client-id')
      }
      await conform(issuer, options, context)
    })
}

async function conform(
  issuer: string,
  options: ConformanceOptions,
  context: CommandContext,
): Promise<void> {
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
  if (json) context.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  else print(`\n${formatSummary(report)}`)
  const { failed } = report.summary
  if (failed > 0) throw new CommandFailure(`rows failed: ${failed}`, { isReported: true })
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
    const text = await readBounded(file === '-' ? context.stdin : createReadStream(file))
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

async function readBounded(input: AsyncIterable<string | Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of input) {
      chunks.push(Buffer.from(chunk))
      size += Buffer.byteLength(chunk)
      if (size > CREDENTIALS_BYTES_MAX) break
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown'
    throw new CommandFailure(`the credentials cannot be read (${code})`)
  }
  if (size > CREDENTIALS_BYTES_MAX) throw new CommandFailure('the credentials are too large')
  return Buffer.concat(chunks).toString()
}

async function writeJunit(file: string, report: ConformanceReport): Promise<void> {
  try {
    await writeFile(file, formatJunit(report))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown'
    throw new CommandFailure(`the JUnit file cannot be written (${code})`)
  }
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
