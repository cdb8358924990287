// `lineage user enroll`, `factors` and `remove-factors`: the second factors of a user, by the rules of
// /users/me/factors.

import type { Command } from 'commander'
import type { NewFactor } from '../management/factor-management.ts'
import { addCommand } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { formatRecord, formatTable, printResult } from './command-output.ts'
import { CLI_ACT, type CommandUsers, withUsers } from './command-stores.ts'
import { drawQr } from './qr-text.ts'
import { readOneTimeCode } from './secret-input.ts'

const WHOM = 'by id, username or email'
/** Far more than a user can have. */
const EVERYTHING = { limit: 200, after: undefined }

export function addFactorCommands(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    usage: 'enroll',
    summary: 'give a user an authenticator: a QR code, and the code that it then shows',
    examples: ['lineage user enroll ada', 'lineage user enroll ada --name "Office key" --json'],
  })
    .argument('<user>', WHOM)
    .option('--name <name>', 'what the user calls it')
    .action((name: string, options: EnrollOptions) =>
      withUsers(context, (stores) => enroll(name, options, context, stores)),
    )

  addCommand(parent, {
    usage: 'factors',
    summary: 'list the second factors of a user',
    examples: ['lineage user factors ada', 'lineage user factors ada --json'],
  })
    .argument('<user>', WHOM)
    .action((name: string, options: OutputOptions) =>
      withUsers(context, async ({ users, factors }) => {
        const { id } = await users.findNamed(name)
        const { items } = await factors.list(id, EVERYTHING)
        printResult(context, options, items, formatTable(items, COLUMNS))
      }),
    )

  addCommand(parent, {
    usage: 'remove-factors',
    summary: 'remove all second factors and recovery codes of a user, and end every session',
    examples: ['lineage user remove-factors ada'],
  })
    .argument('<user>', WHOM)
    .action((name: string, options: OutputOptions) =>
      withUsers(context, async ({ users, factors, settle }) => {
        const { id } = await users.findNamed(name)
        await settle()
        await factors.removeAll(id, CLI_ACT)
        printResult(context, options, { id, factorsRemoved: true }, '')
        context.stderr.write('lineage: the password alone logs in now\n')
      }),
    )
}

const COLUMNS = ['id', 'type', 'name', 'status', 'createdAt', 'activatedAt'] as const

interface EnrollOptions extends OutputOptions {
  readonly name?: string
}

async function enroll(
  name: string,
  options: EnrollOptions,
  context: CommandContext,
  { users, factors, settle }: CommandUsers,
): Promise<void> {
  const { id: userId } = await users.findNamed(name)
  await settle()
  const made = await factors.create({ userId }, options.name)
  showSecret(made, options, context)
  const code = await readOneTimeCode(context)
  const { recoveryCodes, ...factor } = await factors.activate({ userId }, made.id, code, CLI_ACT)
  const document = { ...factor, ...(recoveryCodes && { recoveryCodes }) }
  printResult(context, options, document, formatRecord(factor))
  context.stderr.write('lineage: every session has ended; logins need a code now\n')
  if (recoveryCodes === undefined) return
  context.stderr.write('lineage: each of these is good once in place of a code; shown this once\n')
  if (!options.json) context.stdout.write(`${recoveryCodes.join('\n')}\n`)
}

/** Beside the result: it is of use for the next minute only. */
function showSecret(
  { otpauthUri, secret }: NewFactor,
  { json }: OutputOptions,
  { stderr }: Pick<CommandContext, 'stderr'>,
): void {
  if (json) stderr.write(`${otpauthUri}\n`)
  else stderr.write(`${drawQr(otpauthUri)}\n\n${secret}\n${otpauthUri}\n\n`)
}
