// `lineage apply`: clients, trusted issuers, webhooks and users brought to what files say of them; a plan
// before anything is changed.

import { type Command, InvalidArgumentError } from 'commander'
import type { ApplyReport } from '../declarative/apply-files.ts'
import { DeclarationRefused, formatDeclarationProblem } from '../declarative/declaration-problem.ts'
import type { Resource } from '../declarative/declared-resource.ts'
import type { Plan } from '../declarative/plan-resources.ts'
import type { Labels } from '../runtime/applied-mark.ts'
import { toPrintable } from '../runtime/printable.ts'
import { addCommand } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { CommandFailure } from './command-failure.ts'
import { printResult } from './command-output.ts'
import { type CommandUsers, waitNotice, withUsers } from './command-stores.ts'
import { formatOutcome, formatPlan, toPlanDocument } from './plan-output.ts'

interface ApplyOptions extends OutputOptions {
  readonly file?: readonly string[]
  readonly dryRun?: boolean
  readonly label?: Labels
  readonly prune?: boolean
  readonly schema?: boolean
}

/** What `--dry-run` ends with where there is something to do; `diff` has such a code, too. */
const DIFFERENT = 2

export function addApplyCommand(program: Command, context: CommandContext): void {
  const command = addCommand(program, {
    usage: 'apply',
    summary: 'bring clients, trusted issuers, webhooks and users to what files say',
    examples: [
      'lineage apply -f clients.yaml users.yaml --dry-run',
      'lineage apply -f clients.yaml users.yaml',
      'lineage apply -f payments.yaml --label team=payments --prune',
      'lineage apply --schema > lineage.schema.json',
    ],
  })
  command
    .option('-f, --file <file...>', 'YAML or JSON; - is stdin')
    .option(
      '--dry-run',
      'print the plan and change nothing; exit with 2 when there is a difference',
    )
    .option('--label <name=value>', 'give it to every resource of the files', collectLabel)
    .option('--prune', 'remove what files with that label have made and these do not name')
    .option('--schema', 'print the JSON Schema of the files')
    .action((options: ApplyOptions) => apply(options, context, command))
}

/** `team=payments`; more than one may be given. */
export function collectLabel(text: string, before: Labels = {}): Labels {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It must be name=value.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

async function apply(
  options: ApplyOptions,
  context: CommandContext,
  command: Command,
): Promise<void> {
  const { file: files, label: labels, prune, schema } = options
  // A parser and a validator, which no other command needs.
  const { readResourceSchema } = await import('../declarative/resource-schema.ts')
  if (schema) {
    context.stdout.write(readResourceSchema())
    return
  }
  if (!files) return command.error('error: --file is missing', { exitCode: 2 })
  if (prune && !labels) return command.error('error: --prune needs a --label', { exitCode: 2 })
  const { readResources } = await import('../declarative/read-resources.ts')
  await refusing(options, context, async () => {
    const resources = await readResources({ files, stdin: context.stdin, labels })
    if (prune && resources.length === 0) {
      throw new CommandFailure('the files name nothing: everything with the label would be removed')
    }
    await withUsers(context, (stores) => settle(resources, options, context, stores))
  })
}

async function settle(
  resources: readonly Resource[],
  options: ApplyOptions,
  context: CommandContext,
  stores: CommandUsers,
): Promise<void> {
  const { applyFiles, planFiles } = await import('../declarative/apply-files.ts')
  const { env, stdout } = context
  const dependencies = { pool: stores.database.pool, kinds: stores.kinds, env }
  const about = { resources, prune: options.prune ? options.label : undefined }
  if (options.dryRun) {
    const plan = await planFiles(dependencies, about)
    printResult(context, options, toPlanDocument(plan), formatPlan(plan))
    return refuseDifference(plan)
  }
  // Users' changes are carried to their sessions.
  if (resources.some(({ kind }) => kind === 'User') || about.prune) await stores.settle()
  const report = await applyFiles(dependencies, {
    ...about,
    onWait: waitNotice(context),
    ...(!options.json && {
      onPlan: (plan) => void stdout.write(`${formatPlan(plan)}\n`),
      onOutcome: (outcome) => void stdout.write(`${formatOutcome(outcome)}\n`),
    }),
  })
  const document = { ...toPlanDocument(report.plan), outcomes: report.outcomes }
  printResult(context, options, document, '')
  refuseFailures(report)
}

function refuseDifference({ changes }: Plan): void {
  if (changes.length === 0) return
  const message = `differences: ${changes.length}`
  throw new CommandFailure(message, { isReported: true, exitCode: DIFFERENT })
}

function refuseFailures({ outcomes }: ApplyReport): void {
  const left = outcomes.filter(({ outcome }) => outcome !== 'done').length
  if (left === 0) return
  const message = `changes that are not done: ${left}; the same command again goes on from there`
  throw new CommandFailure(message, { isReported: true })
}

/** Every fault of the files on a line of its own. */
async function refusing(
  options: OutputOptions,
  context: CommandContext,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof DeclarationRefused)) throw error
    const lines = error.problems.map((problem) => toPrintable(formatDeclarationProblem(problem)))
    const document = { error: error.message, problems: error.problems }
    printResult(context, options, document, lines.join('\n'))
    throw new CommandFailure(error.message, { isReported: true })
  }
}
