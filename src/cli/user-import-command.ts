// `lineage user import-check`: says of every line of a file whether `POST /admin/users` would take
// it, and writes nothing.

import { createReadStream } from 'node:fs'
import type { Command } from 'commander'
import type { FieldError } from '../runtime/field-error.ts'
import { findTakenKeys, USER_KEYS, type UserKeys } from '../users/taken-keys.ts'
import { addCommand } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { CommandFailure } from './command-failure.ts'
import { printResult } from './command-output.ts'
import { type CommandStores, withStores } from './command-stores.ts'
import { readLines } from './read-lines.ts'
import { checkUser } from './user-line.ts'

/** How many lines one query looks up. */
const BATCH_LINES = 500

interface LineProblem {
  readonly line: number
  readonly errors: readonly FieldError[]
}

interface ImportReport {
  /** Lines that are not empty. */
  readonly users: number
  readonly valid: number
  /** How many hashes cost less than configured; each is renewed at the next login of its user. */
  readonly weakHashes: number
  /**
   * How many cost more; until these are renewed, every login costs as much as the most expensive.
   */
  readonly dearHashes: number
  readonly problems: readonly LineProblem[]
}

interface KeyedLine {
  readonly line: number
  readonly keys: UserKeys
}

export function addImportCheckCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    usage: 'import-check',
    summary: 'check a file of users, one JSON object a line, and write nothing',
    examples: [
      'lineage user import-check users.jsonl',
      'lineage user import-check - < users.jsonl',
    ],
  })
    .argument('<file>', 'lines with the members of POST /admin/users; - is stdin')
    .action((file: string, options: OutputOptions) =>
      withStores(context, async (stores) => {
        const input = file === '-' ? context.stdin : createReadStream(file)
        const report = await checkLines(readLines(input, 'a line'), stores)
        printResult(context, options, report, formatReport(report))
        const invalid = report.problems.length
        if (invalid === 0) return
        throw new CommandFailure(`lines that are not valid: ${invalid}`, { isReported: true })
      }),
    )
}

async function checkLines(
  lines: AsyncIterable<string>,
  { config, database }: CommandStores,
): Promise<ImportReport> {
  const problems: LineProblem[] = []
  const seen = new Map<string, number>()
  let batch: KeyedLine[] = []
  let [line, users, weakHashes, dearHashes] = [0, 0, 0, 0]

  async function lookUpBatch(): Promise<void> {
    const taken = await findTakenKeys(
      batch.map(({ keys }) => keys),
      database,
    )
    for (const { line, keys } of batch) {
      const errors = findShared(keys, (key) => taken.has(key) && 'is taken already')
      if (errors.length > 0) problems.push({ line, errors })
    }
    batch = []
  }

  for await (const text of lines) {
    line += 1
    if (text.trim() === '') continue
    users += 1
    const checked = checkUser(text, config)
    const errors = checked.ok ? findRepeated(checked.keys, line, seen) : checked.errors
    if (errors.length > 0) problems.push({ line, errors })
    if (!checked.ok || errors.length > 0) continue
    weakHashes += Number(checked.isHashWeak)
    dearHashes += Number(checked.isHashDear)
    batch.push({ line, keys: checked.keys })
    if (batch.length === BATCH_LINES) await lookUpBatch()
  }
  await lookUpBatch()
  problems.sort((one, other) => one.line - other.line)
  return { users, valid: users - problems.length, weakHashes, dearHashes, problems }
}

/** The ids and names that an earlier line has too; remembers those of this line. */
function findRepeated(keys: UserKeys, line: number, seen: Map<string, number>): FieldError[] {
  return findShared(keys, (key) => {
    const earlier = seen.get(key)
    if (earlier === undefined) seen.set(key, line)
    return earlier !== undefined && `is that of line ${earlier} already`
  })
}

function findShared(keys: UserKeys, problemOf: (key: string) => string | false): FieldError[] {
  return USER_KEYS.flatMap((name) => {
    const detail = keys[name] !== undefined && problemOf(`${name} ${keys[name]}`)
    return detail ? [{ pointer: `/${name}`, detail }] : []
  })
}

function formatReport({ users, valid, weakHashes, dearHashes, problems }: ImportReport): string {
  const lines = problems.flatMap(({ line, errors }) =>
    errors.map(({ pointer, detail }) => `line ${line}: ${`${pointer.slice(1)} ${detail}`.trim()}`),
  )
  const weak = weakHashes === 0 ? [] : [`weak hashes, renewed at the next login: ${weakHashes}`]
  const dear =
    dearHashes === 0
      ? []
      : [`dear hashes, renewed at the next login; until then every login costs that: ${dearHashes}`]
  return [...lines, `valid: ${valid} of ${users}`, ...weak, ...dear].join('\n')
}
