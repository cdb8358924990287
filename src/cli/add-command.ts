// Adds a command to another one, with what every command has: summary, examples in its help,
// `--json`.

import { type Command, InvalidArgumentError } from 'commander'

export interface CommandWords {
  /** The name and the arguments, such as `disable <user>`. */
  readonly usage: string
  readonly summary: string
  /** Whole command lines, for the help. */
  readonly examples: readonly string[]
}

export function addCommand(parent: Command, { usage, summary, examples }: CommandWords): Command {
  return addPlainCommand(parent, { usage, summary, examples }).option(
    '--json',
    'print one JSON document in place of text',
  )
}

/** Adds a command without `--json`. */
export function addPlainCommand(parent: Command, words: CommandWords): Command {
  const lines = words.examples.map((example) => `  $ ${example}`)
  return parent
    .command(words.usage)
    .description(words.summary)
    .addHelpText('after', ['', 'Examples:', ...lines].join('\n'))
}

/** Parses the value of an option as a whole number; its bounds are checked where it is used. */
export function parseWholeNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

/** For an option that may be given more than once. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}
