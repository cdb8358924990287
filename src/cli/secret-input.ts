// Secrets come in by a prompt without echo or, without a terminal, as one line of standard input;
// never as arguments, which every process of a machine can read.

import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import type { CommandContext } from './command-context.ts'
import { CommandFailure } from './command-failure.ts'
import { readLines } from './read-lines.ts'

/** A new password, asked for twice at a terminal. Throws CommandFailure. */
export async function readNewPassword(context: CommandContext): Promise<string> {
  if (!context.stdin.isTTY) return await readSecretLine(context, 'password')
  const password = await ask('Password: ', context)
  if (password !== (await ask('Once more: ', context))) {
    throw new CommandFailure('the two passwords are not the same')
  }
  return password
}

/** What an authenticator shows, asked for at a terminal. Throws CommandFailure. */
export async function readOneTimeCode(context: CommandContext): Promise<string> {
  const isTerminal = context.stdin.isTTY
  return isTerminal ? await ask('Code: ', context) : await readSecretLine(context, 'code')
}

/** The first line of standard input, without its end. Throws CommandFailure when there is none. */
export async function readSecretLine(
  { stdin }: Pick<CommandContext, 'stdin'>,
  what: string,
): Promise<string> {
  for await (const line of readLines(stdin, `the ${what}`)) {
    if (line !== '') return line
    break
  }
  throw new CommandFailure(`standard input has no ${what}: give it as one line`)
}

function ask(question: string, { stdin, stderr }: CommandContext): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 })
  stderr.write(question)
  return new Promise<string>((resolve, reject) => {
    reader.once('line', resolve)
    // Ctrl-C and Ctrl-D end the command.
    reader.once('SIGINT', () => reject(new CommandFailure('interrupted')))
    reader.once('close', () => reject(new CommandFailure('nothing was entered')))
  }).finally(() => {
    reader.close()
    stderr.write('\n')
  })
}
