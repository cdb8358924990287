// What a command reads and writes. It is handed in, so that only the entry file touches the
// process.

import type { Readable, Writable } from 'node:stream'
import type { Environment } from '../config/environment.ts'

export interface CommandContext {
  readonly env: Environment
  readonly stdin: Readable & {
    readonly isTTY?: boolean
    /** Of a terminal: whether keys come one by one, without being shown. */
    setRawMode?(isRaw: boolean): unknown
  }
  /** For the result alone. Of a terminal it also tells its size, and of every change (`resize`). */
  readonly stdout: Writable & {
    readonly isTTY?: boolean
    readonly columns?: number
    readonly rows?: number
  }
  /** For prompts and messages. */
  readonly stderr: Writable & { readonly isTTY?: boolean }
}

/** The option of every command but `serve`. */
export interface OutputOptions {
  readonly json?: boolean
}
