// What a process says of the error that ends it.

import { StartError } from './start-error.ts'

/** For stderr: what nobody foresaw has its stack in it, for whoever reports it. */
export function describeFailure(error: unknown): string {
  if (error instanceof StartError) return error.message
  return `unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
}
