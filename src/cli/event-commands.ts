// `lineage events tail`: the audit trail as it grows.

import { setTimeout as delay } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { type AuditEvent, toEventJson } from '../events/audit-event.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import { toPrintable } from '../runtime/printable.ts'
import { isSecurityEventType, type SecurityEventType } from '../runtime/security-event.ts'
import { addCommand, parseWholeNumber } from './add-command.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'
import { type CommandStores, withStores } from './command-stores.ts'

const POLL_MS = 1_000
/** How far back each look goes: an event is written a moment after its own time. */
const OVERLAP_MS = 60_000
/** How many events one look reads at most. */
const LOOK_MAX = 1_000
const SHOWN_DEFAULT = 20
const SHOWN_MAX = 1_000

interface TailOptions extends OutputOptions {
  readonly follow?: boolean
  readonly type?: SecurityEventType[]
  readonly limit: number
}

export function addEventCommands(program: Command, context: CommandContext): void {
  const events = program.command('events').description('the audit trail')
  addCommand(events, {
    usage: 'tail',
    summary: 'print the newest events, oldest first; with --json one JSON document a line',
    examples: ['lineage events tail --follow', 'lineage events tail --type login.failed --json'],
  })
    .option('-f, --follow', 'go on with what happens, until Ctrl-C')
    .option('--type <type>', 'events of this type alone; may be repeated', collectType)
    .option('-n, --limit <n>', 'how many of the past', parseLimit, SHOWN_DEFAULT)
    .action((options: TailOptions) =>
      withStores(context, (stores) => tail(stores, options, context)),
    )
}

function collectType(text: string, before: readonly SecurityEventType[] = []): SecurityEventType[] {
  if (!isSecurityEventType(text)) throw new InvalidArgumentError('There is no such type.')
  return [...before, text]
}

function parseLimit(text: string): number {
  const limit = parseWholeNumber(text)
  if (limit > SHOWN_MAX) throw new InvalidArgumentError(`It must be ${SHOWN_MAX} at most.`)
  return limit
}

async function tail(
  { events: store, clock }: Pick<CommandStores, 'events' | 'clock'>,
  { follow, type, limit, json }: TailOptions,
  { stdout, stderr }: CommandContext,
): Promise<void> {
  const print = (event: AuditEvent) => {
    const line = json ? JSON.stringify(toEventJson(event)) : formatEvent(event)
    stdout.write(`${line}\n`)
  }
  const list = async (max: number, since?: Date) => {
    const newestFirst = await store.list({ type, since }, { limit: max, after: undefined })
    return newestFirst.items.toReversed()
  }
  let known = await list(follow ? LOOK_MAX : limit)
  for (const event of limit === 0 ? [] : known.slice(-limit)) print(event)
  // Events are dated by the database's clock.
  let newestMs = known.at(-1)?.at.getTime() ?? clock()
  let isAway = false
  while (follow) {
    await delay(POLL_MS)
    try {
      const found = await list(LOOK_MAX, new Date(newestMs - OVERLAP_MS))
      const seen = new Set(known.map(({ id }) => id))
      for (const event of found.filter(({ id }) => !seen.has(id))) print(event)
      known = found
      newestMs = Math.max(newestMs, found.at(-1)?.at.getTime() ?? 0)
      isAway = false
    } catch (error) {
      if (!(error instanceof DependencyUnavailable)) throw error
      if (!isAway) stderr.write(`lineage: ${error.message}; trying again\n`)
      isAway = true
    }
  }
}

function formatEvent({ id: _, at, type, detail, ...about }: AuditEvent): string {
  const members = Object.entries({ ...about, ...detail }).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return toPrintable([at.toISOString(), type, ...members].join(' '))
}
