// The failure of a command that the person at the terminal can do something about.

import type { FieldError } from '../runtime/field-error.ts'

/** Ends a command with exit code 1 and one message; it never holds a secret. */
export class CommandFailure extends Error {
  /** The single values of the input that are wrong. */
  readonly errors: readonly FieldError[]
  /** Whether the command has printed a document that says the same already. */
  readonly isReported: boolean

  constructor(
    message: string,
    options: { errors?: readonly FieldError[]; isReported?: boolean } = {},
  ) {
    super(message)
    this.name = 'CommandFailure'
    this.errors = options.errors ?? []
    this.isReported = options.isReported ?? false
  }
}
