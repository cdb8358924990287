// The rules that every history must keep, whatever went wrong meanwhile. What was answered must have been
// right in some order (linear/check-linearizable.ts); here stands what is no matter of order.

import { type History, isExpected, type Operation } from './history.ts'
import { judgeHistory } from './linear/check-linearizable.ts'

export interface Violation {
  readonly rule: Rule
  readonly detail: string
  readonly operation?: Operation
}

export type Rule =
  | 'unexpected_status'
  | 'not_linearizable'
  | 'two_successors'
  | 'false_alarm'
  | 'not_served_again'

export function checkHistory(history: History): Violation[] {
  const { unexplained, robbed } = judgeHistory(history)
  return [
    ...history.operations.flatMap(checkStatus),
    ...unexplained.map(({ operation, before }): Violation => {
      return { rule: 'not_linearizable', detail: `${describe(operation)}, ${before}`, operation }
    }),
    ...checkSuccessors(history.operations),
    ...checkAlarms(history, robbed),
    ...history.unserved.map((detail) => ({ rule: 'not_served_again' as const, detail })),
  ]
}

function describe({ name, session = '', generation, status, error = '' }: Operation): string {
  return `${name} ${session} ${generation ?? ''}: ${status} ${error}`
}

function checkStatus(operation: Operation): Violation[] {
  const { name, status } = operation
  if (status === 0 || isExpected(operation)) return []
  return [{ rule: 'unexpected_status', detail: `${name} was answered ${status}`, operation }]
}

/** The successor of a token follows from it: whoever is given one is given the same text. */
function checkSuccessors(operations: readonly Operation[]): Violation[] {
  const texts = new Map<string, string>()
  return operations.flatMap((operation): Violation[] => {
    const { got } = operation
    if (!got) return []
    const token = `generation ${got.generation} of ${got.session}`
    const text = texts.get(token) ?? got.digest
    texts.set(token, text)
    return text === got.digest ? [] : [{ rule: 'two_successors', detail: token, operation }]
  })
}

/** An alarm has a theft, or a repetition that may have come after the grace. */
function checkAlarms({ alarms, operations }: History, robbed: ReadonlySet<string>): Violation[] {
  const stolen = new Set(operations.map(({ name, session }) => name === 'replay' && session))
  return alarms
    .filter((session) => !stolen.has(session) && !robbed.has(session))
    .map((session) => ({ rule: 'false_alarm', detail: session }))
}
