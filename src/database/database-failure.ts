// Which errors of PostgreSQL, its driver and Prisma mean an outage, and which mean that the data
// refuses the change. An error of the driver without any code counts as an outage.

import { StartError } from '../runtime/start-error.ts'
import { currentScope } from './database-scope.ts'

/**
 * SQLSTATE: connection, a transaction in the wrong state (behind a pooler that swaps connections),
 * a server that is read-only (a replica after a failover), an idle transaction cut off, a statement
 * that is not there, a refused login, a missing database, conflicts, resources, a lock not given in
 * time, shutdown or a time-out, the system, the server's own faults.
 */
const UNAVAILABLE_SQLSTATE =
  /^(08...|25001|25006|25P0[123]|26...|28...|3D...|40...|53...|55P03|57...|58...|XX...)$/
/** Of these the transaction may be run again at once. */
const CONFLICT_SQLSTATE = /^(40001|40P01)$/
/** Of these no write would fare any better. */
const UNWRITABLE_SQLSTATE = /^(25006|53100|58030)$/
/** SQLSTATE: a statement took longer than it may, by the server's clock or by ours. */
export const TIMED_OUT = '57014'
/** SQLSTATE: all connections of the server are taken. */
export const TOO_MANY_CONNECTIONS = '53300'
/**
 * What an otherwise healthy server says of work that was in the way of other work: a conflict, a lock
 * not given in time, and by the name of Prisma the same.
 */
const BUSY = /^(40...|55P03|P2034)$/
/** Prisma's own time-outs, which do not say for what: a connection, a transaction. */
const PRISMA_TIMED_OUT = /^(P2024|P2028)$/
/** With these a server that is going, coming or ill refuses anything. */
const REFUSES_ANYTHING = /^(08...|53...|57P..|58...|XX...)$/
const SQLSTATE = /^[0-9A-Z]{5}$/
/**
 * Prisma: P1xxx is the way to the server, P2024 a pool time-out, P2028 a transaction that timed
 * out.
 */
const UNAVAILABLE_PRISMA = /^(P1\d{3}|P2024|P2028|P2034|P2037)$/
const UNAVAILABLE_ERRNO = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|EHOST|ENET|ENOENT|ERR_TLS|CERT_)/
const UNAVAILABLE_MESSAGE =
  /timeout|Connection terminated|connection (error|closed)|not queryable|Client was closed/i
/** Prisma hides the driver's error this deep at most. */
const DEPTH_MAX = 6

/** The code of an outage; undefined when the data refuses, or the fault is in our own code. */
export function findOutage(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof StartError) return undefined
  const code = codeOf(error)
  if (code === undefined) {
    return UNAVAILABLE_MESSAGE.test(error.message) ? 'connection failed' : undefined
  }
  const isOutage =
    UNAVAILABLE_SQLSTATE.test(code) || UNAVAILABLE_PRISMA.test(code) || UNAVAILABLE_ERRNO.test(code)
  return isOutage ? code : undefined
}

/** Whether a code of `findOutage` says only that something took too long. */
export function isTimeoutCode(code: string): boolean {
  return code === TIMED_OUT || PRISMA_TIMED_OUT.test(code)
}

/** Whether a code of `findOutage` blames other work, and not the server. */
export function isBusyCode(code: string): boolean {
  return BUSY.test(code)
}

/** Whether the error came from a server that is well: it refuses this statement alone. */
export function isAnswer(error: unknown): boolean {
  const code = codeOf(error) ?? ''
  return SQLSTATE.test(code) && !REFUSES_ANYTHING.test(code)
}

/** Whether the error came from the server and says that nothing can be written. */
export function isUnwritable(error: unknown): boolean {
  return UNWRITABLE_SQLSTATE.test(codeOf(error) ?? '')
}

export function isConflict(error: unknown): boolean {
  return CONFLICT_SQLSTATE.test(codeOf(error) ?? '')
}

/**
 * Remembers the error of a query, because Prisma may turn it into one that does not tell the cause.
 */
export function noteFailure(error: unknown): void {
  const scope = currentScope()
  if (!scope) return
  if (isConflict(error)) scope.hasConflict = true
  else scope.failure ??= findOutage(error) ?? (hasNoCode(error) ? 'connection failed' : undefined)
}

/** Whether the driver itself threw it: without a code of the server, and not by a bug of ours. */
function hasNoCode(error: unknown): boolean {
  const isBug = error instanceof TypeError || error instanceof RangeError
  return !isBug && !(error instanceof StartError) && codeOf(error) === undefined
}

/** PostgreSQL's own code, however deep Prisma has wrapped it, else that of the error itself. */
export function codeOf(error: unknown): string | undefined {
  let outermost: string | undefined
  for (let at = error, depth = 0; at !== undefined && depth < DEPTH_MAX; depth += 1) {
    const code = textOf(at, 'originalCode') ?? textOf(at, 'code')
    if (code !== undefined && SQLSTATE.test(code) && !/^P[12]\d{3}$/.test(code)) return code
    outermost ??= code
    at = memberOf(memberOf(at, 'meta'), 'driverAdapterError') ?? memberOf(at, 'cause')
  }
  return outermost
}

function textOf(value: unknown, name: string): string | undefined {
  const member = memberOf(value, name)
  return typeof member === 'string' ? member : undefined
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
