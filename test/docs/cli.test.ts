// docs/cli.md and `--help` say the same: every command with its options and examples, and no other.

import { readFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import type { Command } from 'commander'
import { test } from 'tap'
import { buildProgram } from '../../src/cli/program.ts'

const DOCUMENT = readFileSync('docs/cli.md', 'utf8')
/** What every command has, told once at the top of the document. */
const COMMON = ['--help', '--json']

/** The commands that do something, by their whole names. */
function listCommands(parent: Command, path: readonly string[] = []): Map<string, Command> {
  const name = [...path, parent.name()]
  if (parent.commands.length === 0) return new Map([[name.join(' '), parent]])
  return new Map(parent.commands.flatMap((command) => [...listCommands(command, name)]))
}

const stream = () => new PassThrough()
const program = buildProgram({ env: {}, stdin: stream(), stdout: stream(), stderr: stream() })
const COMMANDS = listCommands(program)
const SECTIONS = new Map(
  DOCUMENT.split(/^### /m)
    .slice(1)
    .map((section) => [section.split('\n', 1)[0] ?? '', section.split(/^## /m, 1)[0] ?? '']),
)

function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({
    writeOut: (part) => {
      text += part
    },
    getOutHelpWidth: () => 10_000,
  })
  command.outputHelp()
  return text
}

test('every command has its section, and every section its command', async (t) => {
  t.ok(COMMANDS.size > 15)
  t.strictSame([...SECTIONS.keys()].sort(), [...COMMANDS.keys()].sort())
})

test('a section names every option of its command, and no other', async (t) => {
  for (const [name, command] of COMMANDS) {
    const section = SECTIONS.get(name) ?? ''
    const options = command.options.map(({ long }) => long ?? '')
    const told = new Set(section.match(/(?<![\w-])--[a-z][\w-]*/g))
    const isOwn = (option: string) => !COMMON.includes(option)
    t.strictSame([...told].filter(isOwn).sort(), options.filter(isOwn).sort(), name)
    t.equal(options.includes('--json'), name !== 'lineage serve', `${name} --json`)
  }
})

test('the examples are those of --help, which also tells the exit codes', async (t) => {
  for (const [name, command] of COMMANDS) {
    const help = helpOf(command)
    const examples = [...help.matchAll(/^ {2}\$ (.+)$/gm)].map(([, line]) => line)
    const [, block = ''] = /```sh\n(.*?)```/s.exec(SECTIONS.get(name) ?? '') ?? []
    t.strictSame(block.trimEnd().split('\n'), examples, name)
    t.ok(
      examples.every((line) => line?.includes(name)),
      `${name} is what its examples run`,
    )
    t.match(help, 'Exit codes: 0 done, 1 failed or not in order, 2 wrong usage.')
  }
})
