// `lineage user sessions` and `lineage user logout`: what a user has open, and its end.

import type { Command } from 'commander'
import { listSessions as findSessions } from '../http/account/session-list.ts'
import { openClients } from '../wiring/open-stores.ts'
import { addCommand } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { formatTable, printResult } from './command-output.ts'
import { changeUser, withUsers } from './command-stores.ts'
import { requireUser } from './require-user.ts'

export function addSessionCommands(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    usage: 'sessions',
    summary: 'list the sessions of a user, ended ones too while they are remembered',
    examples: ['lineage user sessions ada', 'lineage user sessions ada --json'],
  })
    .argument('<user>', 'by id, username or email')
    .action((name: string, options: OutputOptions) => listSessions(name, options, context))

  addCommand(parent, {
    usage: 'logout',
    summary: 'end every session of a user, everywhere',
    examples: ['lineage user logout ada'],
  })
    .argument('<user>', 'by id, username or email')
    .action((name: string, options: OutputOptions) =>
      withUsers(context, async ({ users, settle, recordEvent }) => {
        const { id } = await requireUser(users, name)
        await settle()
        const reason = 'logged_out_everywhere'
        await changeUser(
          (onChanged) => users.logoutEverywhere(id, undefined, onChanged),
          () => recordEvent({ type: 'token.revoked', reason, subject: id }),
        )
        printResult(context, options, { id, loggedOut: true }, '')
        context.stderr.write('lineage: every session has ended\n')
      }),
    )
}

const COLUMNS = [
  'id',
  'clientId',
  'status',
  'endedReason',
  'createdAt',
  'lastUsedAt',
  'expiresAt',
  'ip',
  'userAgent',
] as const

async function listSessions(
  name: string,
  options: OutputOptions,
  context: CommandContext,
): Promise<void> {
  await withUsers(context, async (stores) => {
    const { config, database, clock, families, users } = stores
    const { id } = await requireUser(users, name)
    await stores.settle()
    const clients = new Map(
      (await openClients(database, config, clock).loadAll()).map((client) => [client.id, client]),
    )
    const { items } = await findSessions(
      id,
      { page: { limit: Number.POSITIVE_INFINITY, after: undefined } },
      { families, clock, findClient: async (clientId) => clients.get(clientId) },
    )
    const sessions = items.map((session) => ({ endedReason: undefined, ...session }))
    printResult(context, options, sessions, formatTable(sessions, COLUMNS))
  })
}
