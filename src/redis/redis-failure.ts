// What may be said about a failure of Redis. An error of ioredis holds the command and its
// arguments, so nothing of it leaves this file but a short code of capital letters and digits.

import { DEPENDENCY_DEADLINE_MS, withDeadline } from '../runtime/deadline.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'

/** An error reply starts with a word such as READONLY; errno and OpenSSL codes look alike. */
const CODE = /^[A-Z][A-Z0-9_]{2,40}$/

/**
 * Runs Redis work within the deadline; every failure of it, whatever it was, is rejected as a
 * fresh DependencyUnavailable that holds neither command nor argument nor cause.
 */
export async function guardRedis<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await withDeadline(
      work(),
      DEPENDENCY_DEADLINE_MS,
      () => new DependencyUnavailable('redis', 'deadline exceeded'),
    )
  } catch (error) {
    rethrowSafely(error)
  }
}

/** Throws a DependencyUnavailable that is safe to log in place of `error`. */
export function rethrowSafely(error: unknown): never {
  if (error instanceof DependencyUnavailable) throw error
  throw new DependencyUnavailable('redis', describeRedisFailure(error))
}

/** A short text that is safe to log: an error code, or the kind of the failure. */
export function describeRedisFailure(error: unknown): string {
  if (error instanceof DependencyUnavailable) return error.message
  if (!(error instanceof Error)) return 'connection failed'
  const code = isRedisReply(error) ? replyCode(error) : errnoCode(error)
  if (code !== undefined && CODE.test(code)) return code
  return /timed out|timeout/i.test(error.message) ? 'timed out' : 'connection failed'
}

/** The first word of an error that Redis answered, such as NOSCRIPT; undefined for other errors. */
export function replyCode(error: unknown): string | undefined {
  return isRedisReply(error) ? error.message.split(' ', 1)[0] : undefined
}

function isRedisReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError'
}

function errnoCode(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
