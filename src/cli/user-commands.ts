// `lineage user …`: accounts and their sessions, by the rules of /admin/users.

import type { Command } from 'commander'
import { accepted } from '../management/management-error.ts'
import { draftUserPatch } from '../users/user-draft.ts'
import { addCommand, collect } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { CommandFailure } from './command-failure.ts'
import { formatRecord, printResult } from './command-output.ts'
import { CLI_ACT, withUsers } from './command-stores.ts'
import { readNewPassword, readSecretLine } from './secret-input.ts'
import { addFactorCommands } from './user-factor-commands.ts'
import { addImportCommands } from './user-import-command.ts'
import { addSessionCommands } from './user-session-commands.ts'

const WHOM = 'by id, username or email'

export function addUserCommands(program: Command, context: CommandContext): void {
  const user = program.command('user').description('accounts and their sessions')
  addCreateCommand(user, context)
  addImportCommands(user, context)
  addDisableCommand(user, context)
  addSetPasswordCommand(user, context)
  addSendResetCommand(user, context)
  addSessionCommands(user, context)
  addFactorCommands(user, context)
}

interface CreateOptions extends OutputOptions {
  readonly username: string
  readonly email: string
  readonly role?: string[]
  readonly emailVerified?: boolean
  readonly passwordHashStdin?: boolean
}

function addCreateCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    usage: 'create',
    summary: 'make a user; the password comes by a prompt, or as one line of stdin',
    examples: [
      'lineage user create --username ada --email ada@example.com',
      'lineage user create --username ada --email ada@example.com --role lineage:admin < password',
      'lineage user create --username ada --email ada@example.com --password-hash-stdin < hash',
    ],
  })
    .requiredOption('--username <name>', 'letters, digits, ".", "_" and "-"')
    .requiredOption('--email <address>', 'where the user is reached')
    .option('--role <role>', 'a role of the user; may be repeated', collect)
    .option('--email-verified', 'the address is known to be theirs')
    .option('--password-hash-stdin', 'stdin has an argon2id PHC string, not a password')
    .action((options: CreateOptions) => createUser(options, context))
}

async function createUser(options: CreateOptions, context: CommandContext): Promise<void> {
  const { username, email, role: roles = [], emailVerified, passwordHashStdin } = options
  // Before somebody is asked for a password in vain.
  accepted(draftUserPatch({ username, email, roles }))
  const given = passwordHashStdin
    ? { passwordHash: await readSecretLine(context, 'password hash') }
    : { password: await readNewPassword(context) }
  await withUsers(context, async ({ users }) => {
    const input = { username, email, roles, emailVerified, ...given }
    const user = await users.create(input, CLI_ACT)
    printResult(context, options, user, formatRecord(user))
  })
}

function addDisableCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    usage: 'disable',
    summary: 'disable a user and end every session of theirs',
    examples: ['lineage user disable ada', 'lineage user disable ada@example.com --json'],
  })
    .argument('<user>', WHOM)
    .action((name: string, options: OutputOptions) =>
      withUsers(context, async ({ users, settle }) => {
        const { id } = await users.findNamed(name)
        await settle()
        const user = await users.update(id, { status: 'disabled' }, CLI_ACT)
        printResult(context, options, user, formatRecord(user))
      }),
    )
}

function addSetPasswordCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    usage: 'set-password',
    summary: 'set a password, by a prompt or one line of stdin, and end every session',
    examples: ['lineage user set-password ada', 'lineage user set-password ada < password'],
  })
    .argument('<user>', WHOM)
    .action((name: string, options: OutputOptions) =>
      withUsers(context, async ({ users, passwords, settle }) => {
        const { id } = await users.findNamed(name)
        const password = await readNewPassword(context)
        await settle()
        await passwords.setPassword(id, password, CLI_ACT)
        printResult(context, options, { id, passwordChanged: true }, '')
        context.stderr.write('lineage: the password is set and every session has ended\n')
      }),
    )
}

function addSendResetCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    usage: 'send-reset',
    summary: 'have a mail sent with which a user sets a new password',
    examples: ['lineage user send-reset ada', 'lineage user send-reset ada@example.com --json'],
  })
    .argument('<user>', WHOM)
    .action((name: string, options: OutputOptions) =>
      withUsers(context, async ({ users, confirmations }) => {
        if (!confirmations) throw new CommandFailure('no mail is sent: LINEAGE_SMTP_URL is not set')
        const { id } = await users.findNamed(name)
        await confirmations.sendPasswordReset(id, CLI_ACT)
        printResult(context, options, { id, mailQueued: true }, '')
        context.stderr.write('lineage: the mail is queued; a running instance sends it\n')
      }),
    )
}
