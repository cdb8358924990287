// The failure of a command that the person at the terminal can do something about.

/** Ends a command with exit code 1, or the stated one, and one message; it never holds a secret. */
export class CommandFailure extends Error {
  override name = 'CommandFailure'
  /** Whether the command has printed a document that says the same already. */
  readonly isReported: boolean
  readonly exitCode: number

  constructor(
    message: string,
    { isReported = false, exitCode = 1 }: { isReported?: boolean; exitCode?: number } = {},
  ) {
    super(message)
    this.isReported = isReported
    this.exitCode = exitCode
  }
}
