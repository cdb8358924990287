// `lineage user …`: accounts and their sessions, by the rules of /admin/users.

import type { Command } from 'commander'
import { findPasswordErrors, readNames, toUserJson } from '../http/account/user-json.ts'
import { openHashingLanes } from '../users/hashing-lanes.ts'
import { PASSWORD_HASH_RULE, parsePasswordHash } from '../users/password-hash.ts'
import { openPasswordHasher } from '../users/password-hasher.ts'
import { findRoleErrors } from '../users/user-roles.ts'
import { addCommand, collect } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { CommandFailure } from './command-failure.ts'
import { formatRecord, printResult } from './command-output.ts'
import { type CommandDatabase, changeUser, withUsers } from './command-stores.ts'
import { requireUser } from './require-user.ts'
import { readNewPassword, readSecretLine } from './secret-input.ts'
import { addImportCheckCommand } from './user-import-command.ts'
import { addSessionCommands } from './user-session-commands.ts'

const WHOM = 'by id, username or email'

export function addUserCommands(program: Command, context: CommandContext): void {
  const user = program.command('user').description('accounts and their sessions')
  addCreateCommand(user, context)
  addImportCheckCommand(user, context)
  addDisableCommand(user, context)
  addSetPasswordCommand(user, context)
  addSessionCommands(user, context)
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
  const names = readNames({ username, email }, findRoleErrors(roles))
  const given = passwordHashStdin
    ? { passwordHash: await readPasswordHash(context) }
    : { password: await readNewPassword(context) }
  await withUsers(context, async (stores) => {
    const passwordHash = given.passwordHash ?? (await hashPassword(given.password, stores))
    const user = await stores.users.create({ ...names, passwordHash, emailVerified, roles })
    stores.recordEvent({ type: 'user.created', subject: user.id })
    printResult(context, options, toUserJson(user), formatRecord(toUserJson(user)))
  })
}

async function readPasswordHash(context: CommandContext): Promise<string> {
  const hash = await readSecretLine(context, 'password hash')
  if (parsePasswordHash(hash)) return hash
  throw new CommandFailure(`the line of standard input ${PASSWORD_HASH_RULE}`)
}

/** Throws CommandFailure for a password that the policy refuses. */
async function hashPassword(
  password: string,
  { config }: Pick<CommandDatabase, 'config'>,
): Promise<string> {
  const errors = findPasswordErrors('/password', password, config)
  if (errors.length > 0) throw new CommandFailure('the password is not accepted', { errors })
  const lanes = openHashingLanes({ lanes: 1, queueMax: 0, waitMaxMs: 0 })
  return await openPasswordHasher(config.argon2, lanes).hash(password)
}

function addDisableCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    usage: 'disable',
    summary: 'disable a user and end every session of theirs',
    examples: ['lineage user disable ada', 'lineage user disable ada@example.com --json'],
  })
    .argument('<user>', WHOM)
    .action((name: string, options: OutputOptions) =>
      withUsers(context, async ({ users, settle, recordEvent }) => {
        const { id } = await requireUser(users, name)
        await settle()
        const user = await changeUser(
          (onChanged) => users.patch(id, { status: 'disabled' }, onChanged),
          () =>
            recordEvent({ type: 'user.disabled', subject: id, detail: { changed: ['status'] } }),
        )
        if (!user) throw new CommandFailure('the user has just been deleted')
        printResult(context, options, toUserJson(user), formatRecord(toUserJson(user)))
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
      withUsers(context, async (stores) => {
        const { users, recordEvent } = stores
        const { id } = await requireUser(users, name)
        const passwordHash = await hashPassword(await readNewPassword(context), stores)
        await stores.settle()
        await changeUser(
          (onChanged) => users.setPassword(id, passwordHash, onChanged),
          () => recordEvent({ type: 'user.password_changed', subject: id }),
        )
        printResult(context, options, { id, passwordChanged: true }, '')
        context.stderr.write('lineage: the password is set and every session has ended\n')
      }),
    )
}
