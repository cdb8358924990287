// `lineage serve`: the service, as `npm start` and the image run it.

import type { Command } from 'commander'
import { startService } from '../start-service.ts'
import { addPlainCommand } from './add-command.ts'
import type { CommandContext } from './command-context.ts'

export function addServeCommand(program: Command, { env }: CommandContext): void {
  addPlainCommand(program, {
    usage: 'serve',
    summary: 'run the service until SIGTERM or SIGINT; its log is JSON lines on stdout',
    examples: ['lineage serve', 'PORT=8080 lineage serve'],
  }).action(() => startService(env))
}
