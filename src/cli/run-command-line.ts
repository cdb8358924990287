// One run of the command line, from its arguments to its exit code.

import { CommanderError } from 'commander'
import { describeLack } from '../database/first-contact.ts'
import { ManagementError } from '../management/management-error.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import { describeFailure } from '../runtime/describe-failure.ts'
import { AlreadyTaken, type FieldError } from '../runtime/field-error.ts'
import type { CommandContext } from './command-context.ts'
import { CommandFailure } from './command-failure.ts'
import { buildProgram } from './program.ts'

/** The exit code: 0 done, 1 failed, 2 wrong usage or what the command says of it. Never rejects. */
export async function runCommandLine(
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  try {
    await buildProgram(context).parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    // Commander has printed its message already; help that was asked for is no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    reportFailure(error, args.includes('--json'), context)
    return error instanceof CommandFailure ? error.exitCode : 1
  }
}

function reportFailure(error: unknown, wantsJson: boolean, context: CommandContext): void {
  const { message, errors } = explainFailure(error)
  const details = errors.map(({ pointer, detail }) => `\n  ${pointer.slice(1)} ${detail}`)
  context.stderr.write(`lineage: ${message}${details.join('')}\n`)
  if (!wantsJson || (error instanceof CommandFailure && error.isReported)) return
  const document = { error: message, ...(errors.length > 0 && { errors }) }
  context.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
}

function explainFailure(error: unknown): { message: string; errors: readonly FieldError[] } {
  if (error instanceof CommandFailure) return { message: error.message, errors: [] }
  if (error instanceof ManagementError) {
    const { code, message, errors } = error
    const advice = ': an instance carries it there when it is back; repeat the command to be sure'
    return { message: code === 'unfinished' ? message + advice : message, errors }
  }
  if (error instanceof AlreadyTaken) {
    const detail = 'is taken already'
    return { message: 'this is taken already', errors: [{ pointer: error.pointer, detail }] }
  }
  if (error instanceof DependencyUnavailable) {
    return { message: `${error.message} (\`lineage doctor\` looks for the cause)`, errors: [] }
  }
  return { message: describeFailure(describeLack(error) ?? error), errors: [] }
}
