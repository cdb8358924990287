// `lineage config check`: whether the environment is a valid configuration, and the values in
// force.

import type { Command } from 'commander'
import { CONFIG_TABLE, type Setting } from '../config/config-table.ts'
import type { Environment } from '../config/environment.ts'
import { givenText } from '../config/read-settings.ts'
import { findConfigWarnings, loadConfig } from '../config/service-config.ts'
import { withoutServiceLinks } from '../config/service-links.ts'
import { StartError } from '../runtime/start-error.ts'
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
    const { mode, problems } = checkConfiguration(context.env)
    if (problems.length > 0) {
      printResult(context, options, { ok: false, problems }, problems.join('\n'))
      throw new CommandFailure('the configuration is not valid', { isReported: true })
    }
    const settings = listSettings(withoutServiceLinks(context.env))
    const table = formatTable(settings, ['name', 'value', 'from'])
    for (const warning of findConfigWarnings(context.env, loadConfig(context.env))) {
      context.stderr.write(`lineage: ${warning}\n`)
    }
    printResult(context, options, { ok: true, mode, settings }, `OK, ${mode} mode\n\n${table}`)
  })
}

/** The problems of a configuration, one sentence each. */
export function checkConfiguration(env: Environment): {
  mode?: string
  problems: readonly string[]
} {
  try {
    return { mode: loadConfig(env).mode, problems: [] }
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    // The first line of the message is its title.
    return { problems: error.message.split('\n  ').slice(1) }
  }
}

function listSettings(env: Environment): ShownSetting[] {
  return Object.entries<Setting<unknown>>(CONFIG_TABLE).map(([name, setting]) => {
    const isFile = setting.isSecret && Boolean(env[`${name}_FILE`])
    const given = isFile ? '(set)' : givenText(setting, env[name])
    const value = (given && setting.isSecret ? '(set)' : given) ?? setting.default ?? null
    return { name, value, from: isFile ? 'file' : given ? 'environment' : 'default' }
  })
}
