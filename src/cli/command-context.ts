// What a command reads and writes: handed in, so that nothing below the process knows its globals.

import type { Readable, Writable } from 'node:stream'
import type { Environment } from '../config/environment.ts'

export interface CommandContext {
  readonly env: Environment
  readonly stdin: Readable & { readonly isTTY?: boolean }
  /** What was asked for, and nothing else. */
  readonly stdout: Writable
  /** Prompts and messages. */
  readonly stderr: Writable
}

/** Every command but `serve` has it. */
export interface OutputOptions {
  readonly json?: boolean
}
