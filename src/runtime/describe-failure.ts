// What a process prints of the error that ends it.

import { StartError } from './start-error.ts'

/** The text for stderr: the line of a StartError, the stack of any other error. */
export function describeFailure(error: unknown): string {
  if (error instanceof StartError) return error.message
  return `unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
}
