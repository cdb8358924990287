// What the command reads and writes, handed in so that a test can run it without a process, and how
// it fails.

import type { Readable, Writable } from 'node:stream'

export interface CommandContext {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  /** The report, and nothing else. */
  readonly stdout: Writable
  /** Prompts and messages. */
  readonly stderr: Writable
}

/** Ends the command with exit code 1 and one message, which never holds a secret. */
export class CommandFailure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'CommandFailure'
  }
}
