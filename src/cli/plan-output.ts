// A plan and what came of it, for people and for programs. Of a secret it says only that there is a change.

import type { ChangeOutcome } from '../declarative/apply-files.ts'
import type { FieldChange } from '../declarative/field-change.ts'
import type { Plan } from '../declarative/plan-resources.ts'
import type { PlannedChange } from '../declarative/planned-change.ts'
import { toPrintable } from '../runtime/printable.ts'

const SIGNS = { create: '+', update: '~', remove: '-', disable: '-' } as const
const SECRETS = {
  set: '+ secret: will be set',
  replace: '~ secret: will be set, and the one before stays for a while',
} as const
const DONE = {
  create: 'created',
  update: 'changed',
  remove: 'removed',
  disable: 'disabled',
} as const
/** A longer value is told by its beginning. */
const VALUE_LENGTH_MAX = 300

/** Every change with its fields, and a line that counts them; ends without a newline. */
export function formatPlan({ changes, unchanged, kept }: Plan): string {
  const lines = changes.flatMap((change) => [formatHead(change), ...formatFields(change)])
  const keptLines = kept.map(
    ({ kind, name }) => `  ${kind} ${toPrintable(name)} stays: no file has made it`,
  )
  const count = (...actions: PlannedChange['action'][]) =>
    changes.filter(({ action }) => actions.includes(action)).length
  const counts = [
    `${count('create')} to make`,
    `${count('update')} to change`,
    `${count('remove')} to remove`,
    `${count('disable')} to disable`,
    `${unchanged} as they are`,
  ]
  return [...lines, ...keptLines, `Plan: ${counts.join(', ')}`].join('\n')
}

/** One line for what came of a change. */
export function formatOutcome({ kind, name, action, outcome, detail }: ChangeOutcome): string {
  const words = {
    done: DONE[action],
    unfinished: `${DONE[action]}, but not everywhere yet`,
    failed: 'failed',
    not_tried: 'not tried',
  }
  const why = detail === undefined ? '' : `: ${detail}`
  return toPrintable(`${kind} ${name} ${words[outcome]}${why}`)
}

/** The plan as the one document of `--json`. */
export function toPlanDocument({ changes, unchanged, kept }: Plan) {
  return {
    changes: changes.map(({ kind, name, action, fields, secret }) => ({
      ...{ kind, name, action },
      fields: fields.map(({ pointer, before, after }) => ({ pointer, before, after })),
      ...(secret && { secret }),
    })),
    unchanged,
    kept,
  }
}

function formatHead({ kind, name, action }: PlannedChange): string {
  const what = action === 'disable' ? ' (disabled)' : ''
  return `${SIGNS[action]} ${kind} ${toPrintable(name)}${what}`
}

function formatFields({ fields, secret }: PlannedChange): string[] {
  return [
    ...fields.flatMap(formatField).map((line) => `    ${line}`),
    ...(secret ? [`    ${SECRETS[secret]}`] : []),
  ]
}

function formatField({ pointer, before, after }: FieldChange): string[] {
  const name = toPrintable(pointer.slice(1).replaceAll('/', '.'))
  if (before === undefined) return [`+ ${name}: ${show(after)}`]
  if (after === undefined) return [`- ${name}: ${show(before)}`]
  const items = listItems(before, after)
  if (items) return items.map(([sign, item]) => `${sign} ${name}: ${show(item)}`)
  return [`~ ${name}: ${show(before)} -> ${show(after)}`]
}

/** What a list of words gains and loses; undefined where there is more to tell, such as its order. */
function listItems(before: unknown, after: unknown): [sign: string, item: unknown][] | undefined {
  if (!Array.isArray(before) || !Array.isArray(after)) return undefined
  const isWords = [...before, ...after].every((item) => typeof item === 'string')
  const lost = before.filter((item) => !after.includes(item))
  const gained = after.filter((item) => !before.includes(item))
  const stay = (list: unknown[], others: unknown[]) => list.filter((item) => others.includes(item))
  const isReordered = stay(before, after).join('\n') !== stay(after, before).join('\n')
  if (!isWords || isReordered) return undefined
  const marked =
    (sign: string) =>
    (item: unknown): [string, unknown] => [sign, item]
  return [...lost.map(marked('-')), ...gained.map(marked('+'))]
}

function show(value: unknown): string {
  const text = toPrintable(JSON.stringify(value))
  return text.length > VALUE_LENGTH_MAX ? `${text.slice(0, VALUE_LENGTH_MAX)}…` : text
}
