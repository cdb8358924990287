// `lineage export`: what is stored, in the form that `lineage apply` takes.

import { type Command, Option } from 'commander'
import { RESOURCE_KINDS, type ResourceKind } from '../declarative/declared-resource.ts'
import type { Labels } from '../runtime/applied-mark.ts'
import { addCommand } from './add-command.ts'
import { collectLabel } from './apply-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { withUsers } from './command-stores.ts'

interface ExportOptions extends OutputOptions {
  readonly kind?: readonly ResourceKind[]
  readonly label?: Labels
}

export function addExportCommand(program: Command, context: CommandContext): void {
  const kinds = new Option('--kind <kind...>', 'these alone')
  addCommand(program, {
    usage: 'export',
    summary: 'print what is stored in the form that apply takes; never a secret',
    examples: [
      'lineage export > lineage.yaml',
      'lineage export --kind Client Webhook --label team=payments',
      'lineage export --json',
    ],
  })
    .addOption(kinds.choices(RESOURCE_KINDS))
    .option('--label <name=value>', 'those alone that have it', collectLabel)
    .action((options: ExportOptions) => exportAll(options, context))
}

async function exportAll(options: ExportOptions, context: CommandContext): Promise<void> {
  const { exportResources, toYaml } = await import('../declarative/export-resources.ts')
  const { kind: chosen = RESOURCE_KINDS, label, json } = options
  await withUsers(context, async ({ kinds }) => {
    const { stdout } = context
    const wanted = kinds.filter(({ kind }) => chosen.includes(kind))
    let separator = '[\n'
    for await (const resource of exportResources(wanted, label)) {
      if (!json) {
        stdout.write(toYaml(resource))
        continue
      }
      stdout.write(`${separator}${JSON.stringify(resource.document, null, 2)}`)
      separator = ',\n'
    }
    if (json) stdout.write(separator === '[\n' ? '[]\n' : '\n]\n')
  })
}
