// `lineage user import`: users from a file, one JSON object a line, by the rules of `POST
// /admin/users`; and `import-check`, which is its dry run.

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Command } from 'commander'
import { type DraftLine, openUserImport, type UserImport } from '../management/user-import.ts'
import { defaultHashingLanes, openHashingLanes } from '../users/hashing-lanes.ts'
import { openPasswordHasher } from '../users/password-hasher.ts'
import { openUserBatches } from '../users/user-batches.ts'
import { addCommand } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { CommandFailure } from './command-failure.ts'
import { printResult } from './command-output.ts'
import { CLI_ACT, type CommandStores, withStores } from './command-stores.ts'
import { type ImportLine, readImportLines } from './import-lines.ts'
import {
  formatProblem,
  type ImportReport,
  type LineProblem,
  openImportReport,
} from './import-report.ts'
import { openProgressBar, type ProgressBar } from './progress-bar.ts'
import { openSeenKeys } from './seen-keys.ts'
import { type CheckedUser, checkUser } from './user-line.ts'

/** How many lines one statement looks up or inserts. */
const BATCH_LINES = 500
/** A password waits for those of its batch alone. */
const HASH_WAIT_MAX_MS = 600_000

interface ImportOptions extends OutputOptions {
  readonly dryRun?: boolean
}

interface Run extends ImportOptions {
  readonly context: CommandContext
  readonly config: CommandStores['config']
  readonly users: UserImport
  readonly report: ImportReport
  readonly bar: ProgressBar
  /** Undefined for standard input. */
  readonly sizeBytes: number | undefined
}

const STOPPED = (users: number) =>
  `lineage: stopped after about ${users} users; the same command again goes on from there\n`

const FILE = 'lines with the members of POST /admin/users; - is stdin'

export function addImportCommands(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    usage: 'import',
    summary: 'add the users of a file, one JSON object a line; again goes on where it ended',
    examples: [
      'lineage user import users.jsonl --dry-run',
      'lineage user import users.jsonl',
      'lineage user import - < users.jsonl',
    ],
  })
    .argument('<file>', FILE)
    .option('--dry-run', 'say what would become of every line, and write nothing')
    .action((file: string, options: ImportOptions) => importFile(file, options, context))

  addCommand(parent, {
    usage: 'import-check',
    summary: 'the same as import --dry-run',
    examples: [
      'lineage user import-check users.jsonl',
      'lineage user import-check - < users.jsonl',
    ],
  })
    .argument('<file>', FILE)
    .action((file: string, options: OutputOptions) =>
      importFile(file, { ...options, dryRun: true }, context),
    )
}

async function importFile(file: string, options: ImportOptions, context: CommandContext) {
  await withStores(context, async (stores) => {
    const isDryRun = options.dryRun === true
    const report = openImportReport({ isDryRun })
    const bar = openProgressBar(context)
    const users = openImport(stores)
    const sizeBytes = file === '-' ? undefined : (await stat(file).catch(() => undefined))?.size
    const run = { ...options, context, config: stores.config, users, report, bar, sizeBytes }
    const input = file === '-' ? context.stdin : createReadStream(file)
    try {
      await importLines(readImportLines(input), run)
    } catch (error) {
      bar.clear()
      if (!isDryRun && report.users() > 0) context.stderr.write(STOPPED(report.users()))
      throw error
    }
    bar.clear()
    printResult(context, options, report.toDocument(), report.toText())
    const invalid = report.invalid()
    if (invalid === 0) return
    const what = isDryRun ? 'are not valid' : 'were not added'
    throw new CommandFailure(`lines that ${what}: ${invalid}`, { isReported: true })
  })
}

function openImport({ config, database, clock, recordEvent }: CommandStores): UserImport {
  const lanes = openHashingLanes({
    ...defaultHashingLanes(config.threads),
    queueMax: BATCH_LINES,
    waitMaxMs: HASH_WAIT_MAX_MS,
  })
  const { argon2: parameters, passwordPeppers: peppers } = config
  const hasher = openPasswordHasher({ parameters, lanes, peppers })
  return openUserImport({ batches: openUserBatches(database, clock), hasher, recordEvent })
}

async function importLines(lines: AsyncIterable<ImportLine>, run: Run): Promise<void> {
  const { config, users, report, bar, sizeBytes } = run
  const seen = openSeenKeys()
  let drafts: DraftLine[] = []
  let problems: LineProblem[] = []
  let bytesRead = 0

  async function settleBatch(): Promise<void> {
    const outcomes = await (run.dryRun ? users.check(drafts, seen) : users.add(drafts, CLI_ACT))
    const withPassword = new Set(
      drafts.flatMap(({ line, draft }) => (draft.password ? [line] : [])),
    )
    for (const outcome of outcomes) {
      report.noteOutcome(outcome, withPassword.has(outcome.line))
      if (outcome.outcome === 'taken') problems.push(outcome)
    }
    printProblems(problems, run)
    drafts = []
    problems = []
    const share = sizeBytes === undefined ? undefined : bytesRead / sizeBytes
    bar.draw(share, `${report.users()} users, ${report.invalid()} of them not valid`)
  }

  for await (const read of lines) {
    bytesRead = read.bytesRead
    if (read.text === '') continue
    const checked = checkLine(read, config)
    if (checked.ok) {
      report.noteValid(checked)
      drafts.push({ line: read.line, draft: checked.draft })
    } else {
      problems.push({ line: read.line, errors: checked.errors })
      report.noteProblem({ line: read.line, errors: checked.errors })
    }
    if (drafts.length + problems.length === BATCH_LINES) await settleBatch()
  }
  await settleBatch()
}

function checkLine({ text, fault = '' }: ImportLine, config: CommandStores['config']): CheckedUser {
  if (text !== undefined) return checkUser(text, config)
  return { ok: false, errors: [{ pointer: '', detail: fault }] }
}

/** In the order of lines. With `--json` they stand in the one document. */
function printProblems(problems: LineProblem[], { json, bar, context }: Run): void {
  if (json || problems.length === 0) return
  bar.clear()
  problems.sort((one, other) => one.line - other.line)
  context.stdout.write(problems.map(formatProblem).join(''))
}
