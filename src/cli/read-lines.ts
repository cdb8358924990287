// The lines of a stream, one after another, however long the stream is.

import type { Readable } from 'node:stream'
import { CommandFailure } from './command-failure.ts'

const LINE_LENGTH_MAX = 64 * 1024

/**
 * Lines without line ends; `what` is what each of them holds. Throws CommandFailure for one of over
 * 64 Ki characters, for what is not text, and when the stream cannot be read.
 */
export async function* readLines(input: Readable, what: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  try {
    for await (const chunk of input) {
      const lines = (rest + decoder.decode(Buffer.from(chunk), { stream: true })).split(/\r?\n/)
      if (lines.some((line) => line.length > LINE_LENGTH_MAX)) {
        throw new CommandFailure(`${what} is too long`)
      }
      rest = lines.pop() ?? ''
      yield* lines
    }
    rest += decoder.decode()
  } catch (error) {
    throw toReadFailure(error, what)
  }
  if (rest !== '') yield rest
}

/** Says that `what` cannot be read, where that is what the error says. */
export function toReadFailure(error: unknown, what: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  const isText = error.code !== 'ERR_ENCODING_INVALID_ENCODED_DATA'
  const problem = isText ? `cannot be read (${error.code})` : 'is not UTF-8'
  return new CommandFailure(`${what} ${problem}`)
}
