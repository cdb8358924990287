// `lineage migrate`: brings the tables up to date, or says what is missing.

import type { Command } from 'commander'
import { contactDatabase } from '../database/first-contact.ts'
import { applyMigrations, listPendingMigrations } from '../database/migrations.ts'
import { addCommand } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { CommandFailure } from './command-failure.ts'
import { printResult } from './command-output.ts'
import { waitNotice, withDatabase } from './command-stores.ts'

interface MigrateOptions extends OutputOptions {
  readonly check?: boolean
}

export function addMigrateCommand(program: Command, context: CommandContext): void {
  addCommand(program, {
    usage: 'migrate',
    summary: 'apply every pending migration, all in one transaction',
    examples: ['lineage migrate', 'lineage migrate --check'],
  })
    .option('--check', 'apply nothing; exit with 1 when something is pending')
    .action((options: MigrateOptions) =>
      withDatabase(context, async ({ database: { pool } }) => {
        await contactDatabase(pool)
        const onWait = waitNotice(context)
        if (options.check) {
          const pending = await listPendingMigrations(pool, { onWait })
          printResult(context, options, { pending }, pending.join('\n'))
          if (pending.length === 0) return
          throw new CommandFailure(`pending migrations: ${pending.length}`, { isReported: true })
        }
        // Instances of an older release may have written names since the last time.
        const applied = await applyMigrations(pool, { onWait, everyName: true })
        printResult(context, options, { applied }, applied.join('\n'))
        context.stderr.write(`lineage: migrations applied: ${applied.length}\n`)
      }),
    )
}
