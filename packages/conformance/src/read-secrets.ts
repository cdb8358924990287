// Secrets come in by prompts without echo or, without a terminal, as lines of standard input; never
// as arguments, which every process of a machine can read.

import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { type CommandContext, CommandFailure } from './command-context.ts'
import { readText } from './read-text.ts'

/**
 * One secret for each name: asked for at a terminal, else the lines of standard input in their
 * order. What is not there is empty. Throws CommandFailure.
 */
export async function readSecrets(
  context: CommandContext,
  names: readonly string[],
): Promise<readonly string[]> {
  if (!context.stdin.isTTY) {
    const text = await readText(context.stdin, `the ${names.join(' and ')}`, names.length)
    return text.split(/\r?\n/, names.length)
  }
  const secrets: string[] = []
  for (const name of names) {
    secrets.push(await ask(`${name.slice(0, 1).toUpperCase()}${name.slice(1)}: `, context))
  }
  return secrets
}

function ask(question: string, { stdin, stderr }: CommandContext): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 })
  stderr.write(question)
  return new Promise<string>((resolve, reject) => {
    reader.once('line', resolve)
    // Ctrl-C and Ctrl-D.
    reader.once('SIGINT', () => reject(new CommandFailure('interrupted')))
    reader.once('close', () => reject(new CommandFailure('nothing was entered')))
  }).finally(() => {
    reader.close()
    stderr.write('\n')
  })
}
