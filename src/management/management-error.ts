// Why a change is refused: the one value that http turns into an answer and the command line into a
// message.

import type { Checked, FieldError } from '../runtime/field-error.ts'

export type ManagementErrorCode =
  /** `errors` says which values are not valid. */
  | 'invalid'
  | 'not_found'
  /** The message says with what it conflicts. */
  | 'conflict'
  | 'wrong_password'
  /** A token of a mail is not valid, not valid any more, or used: nobody is told which. */
  | 'unconfirmed'
  | 'wrong_code'
  /** The session from which it was asked has ended meanwhile. */
  | 'session_over'
  /** The change is committed, but the dependency that `cause` names could not be told of it. */
  | 'unfinished'

/** Everything in it may be shown to whoever asked. */
export class ManagementError extends Error {
  readonly code: ManagementErrorCode
  readonly errors: readonly FieldError[]

  constructor(
    code: ManagementErrorCode,
    message: string,
    options: { readonly errors?: readonly FieldError[]; readonly cause?: Error } = {},
  ) {
    super(message, options.cause && { cause: options.cause })
    this.name = 'ManagementError'
    this.code = code
    this.errors = options.errors ?? []
  }
}

/** Throws ManagementError `invalid` for what was not. */
export function accepted<T>(checked: Checked<T>): T {
  if (checked.ok) return checked.value
  throw new ManagementError('invalid', 'some values are not valid', { errors: checked.errors })
}

/** Throws ManagementError `not_found` for undefined; `what` is there to read, such as `user`. */
export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new ManagementError('not_found', `there is no such ${what}`)
  return value
}

export function sessionOver(): ManagementError {
  return new ManagementError('session_over', 'the session has ended')
}
