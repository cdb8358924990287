// `lineage config check`: whether the environment is a valid configuration, and the values in
// force.

import type { Command } from 'commander'
import { CONFIG_TABLE } from '../config/config-table.ts'
import type { Environment } from '../config/environment.ts'
import { givenText } from '../config/read-settings.ts'
import { findConfigWarnings, readConfig } from '../config/service-config.ts'
import { withoutServiceLinks } from '../config/service-links.ts'
import type { Setting } from '../config/setting.ts'
import { addCommand } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { CommandFailure } from './command-failure.ts'
import { formatTable, printResult } from './command-output.ts'

interface ShownSetting {
  readonly name: string
  /** Null when unset and without a default; of a secret only whether it is set. */
  readonly value: string | null
  readonly from: 'environment' | 'file' | 'default'
}

export function addConfigCommands(program: Command, context: CommandContext): void {
  const config = program.command('config').description('the configuration')
  addCommand(config, {
    usage: 'check',
    summary: 'check the environment, and print what is in force; secrets are not shown',
    examples: ['lineage config check', 'lineage config check --json'],
  }).action((options: OutputOptions) => {
    const read = readConfig(context.env)
    if ('problems' in read) {
      const { problems } = read
      printResult(context, options, { ok: false, problems }, problems.join('\n'))
      throw new CommandFailure('the configuration is not valid', { isReported: true })
    }
    const { mode } = read.config
    const settings = listSettings(withoutServiceLinks(context.env))
    const table = formatTable(settings, ['name', 'value', 'from'])
    for (const warning of findConfigWarnings(context.env, read.config)) {
      context.stderr.write(`lineage: ${warning}\n`)
    }
    printResult(context, options, { ok: true, mode, settings }, `OK, ${mode} mode\n\n${table}`)
  })
}

function listSettings(env: Environment): ShownSetting[] {
  return Object.entries<Setting<unknown>>(CONFIG_TABLE).map(([name, setting]) => {
    const isFile = setting.isSecret && Boolean(env[`${name}_FILE`])
    const given = isFile ? '(set)' : givenText(setting, env[name])
    const value = (given && setting.isSecret ? '(set)' : given) ?? setting.default ?? null
    return { name, value, from: isFile ? 'file' : given ? 'environment' : 'default' }
  })
}
