// What a command reads and writes. It is handed in, so that only the entry file touches the
// process.

import type { Readable, Writable } from 'node:stream'
import type { Environment } from '../config/environment.ts'

export interface CommandContext {
  readonly env: Environment
  readonly stdin: Readable & { readonly isTTY?: boolean }
  /** For the result alone. */
  readonly stdout: Writable
  /** For prompts and messages. */
  readonly stderr: Writable & { readonly isTTY?: boolean }
}

/** The option of every command but `serve`. */
export interface OutputOptions {
  readonly json?: boolean
}
