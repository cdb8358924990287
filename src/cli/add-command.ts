// One command under another, with what all of them have: a summary, examples in its help, `--json`.

import { type Command, InvalidArgumentError } from 'commander'

export interface CommandWords {
  /** The name and the arguments, such as `disable <user>`. */
  readonly usage: string
  readonly summary: string
  /** Whole command lines, as somebody would type them. */
  readonly examples: readonly string[]
}

export function addCommand(parent: Command, { usage, summary, examples }: CommandWords): Command {
  return addPlainCommand(parent, { usage, summary, examples }).option(
    '--json',
    'print one JSON document in place of text',
  )
}

/** Without `--json`. */
export function addPlainCommand(parent: Command, words: CommandWords): Command {
  const lines = words.examples.map((example) => `  $ ${example}`)
  return parent
    .command(words.usage)
    .description(words.summary)
    .addHelpText('after', ['', 'Examples:', ...lines].join('\n'))
}

/** Parses the value of an option; for bounds the domain has its own words. */
export function parseWholeNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

/** For an option that may be given more than once, and may take several values each time. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}
