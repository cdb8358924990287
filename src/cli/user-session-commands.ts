// `lineage user sessions` and `lineage user logout`: what a user has open, and its end.

import type { Command } from 'commander'
import type { SessionView } from '../management/session-view.ts'
import { addCommand } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { columnsOf, formatTable, printResult } from './command-output.ts'
import { CLI_ACT, withUsers } from './command-stores.ts'

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
      withUsers(context, async ({ users, sessions, settle }) => {
        const { id } = await users.findNamed(name)
        await settle()
        await sessions.endAll(id, CLI_ACT)
        printResult(context, options, { id, loggedOut: true }, '')
        context.stderr.write('lineage: every session has ended\n')
      }),
    )
}

const COLUMNS = columnsOf<SessionView>({
  id: true,
  clientId: true,
  status: true,
  endedReason: true,
  createdAt: true,
  lastUsedAt: true,
  expiresAt: true,
  ip: true,
  userAgent: true,
  generation: false,
  idleExpiresAt: false,
  retriedElsewhere: false,
  current: false,
})

async function listSessions(
  name: string,
  options: OutputOptions,
  context: CommandContext,
): Promise<void> {
  await withUsers(context, async ({ users, sessions, settle }) => {
    const { id } = await users.findNamed(name)
    await settle()
    const everything = { limit: Number.POSITIVE_INFINITY, after: undefined }
    const { items } = await sessions.list(id, { page: everything })
    printResult(context, options, items, formatTable(items, COLUMNS))
  })
}
