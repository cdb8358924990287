// The command `lineage` with everything below it: names, options and help. What a command does
// stands in the file of its group.

import { Command } from 'commander'
import { readProgramVersion } from '../runtime/program-version.ts'
import { addApplyCommand } from './apply-command.ts'
import { addClientCommands } from './client-commands.ts'
import type { CommandContext } from './command-context.ts'
import { addConfigCommands } from './config-commands.ts'
import { addDoctorCommand } from './doctor/doctor-command.ts'
import { addDrillCommands } from './drill/drill-commands.ts'
import { addEventCommands } from './event-commands.ts'
import { addExportCommand } from './export-command.ts'
import { addKeyCommands } from './key-commands.ts'
import { addMigrateCommand } from './migrate-command.ts'
import { addServeCommand } from './serve-command.ts'
import { addTopCommand } from './top/top-command.ts'
import { addTrustCommands } from './trust-commands.ts'
import { addUserCommands } from './user-commands.ts'

/** Text that every help ends with; docs/cli.md repeats it. */
const EXIT_CODES = 'Exit codes: 0 done, 1 failed or not in order, 2 wrong usage.'

/** Errors and `--help` throw CommanderError; nothing here ends the process. */
export function buildProgram(context: CommandContext): Command {
  const program = new Command('lineage')
    .description('The token service, and its management beside it.')
    .version(readProgramVersion())
    .exitOverride()
    .showHelpAfterError('Add --help for its options.')
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
      // The message does not repeat an argument, because it may be a secret in the wrong place.
      outputError: (text, write) =>
        write(
          text
            .replace(/'(--?[\w-]+)=.*'/s, "'$1'")
            .replace(/\bargument( value)? '.*' is invalid/s, 'argument$1 is invalid'),
        ),
    })
    .addHelpText(
      'afterAll',
      `\n${EXIT_CODES}\nIt is configured by the environment, like the service; secrets come by a prompt or by\nstandard input, never as arguments.`,
    )
  addServeCommand(program, context)
  addMigrateCommand(program, context)
  addUserCommands(program, context)
  addClientCommands(program, context)
  addTrustCommands(program, context)
  addApplyCommand(program, context)
  addExportCommand(program, context)
  addKeyCommands(program, context)
  addEventCommands(program, context)
  addConfigCommands(program, context)
  addDoctorCommand(program, context)
  addDrillCommands(program, context)
  addTopCommand(program, context)
  return program
}
