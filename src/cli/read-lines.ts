// The lines of a stream, one after another, however long the stream is.

import type { Readable } from 'node:stream'
import { CommandFailure } from './command-failure.ts'

const LINE_LENGTH_MAX = 64 * 1024

/**
 * Lines without line ends. Throws CommandFailure for one of over 64 Ki characters, and for what is
 * not text.
 */
export async function* readLines(input: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  try {
    for await (const chunk of input) {
      const lines = (rest + decoder.decode(Buffer.from(chunk), { stream: true })).split(/\r?\n/)
      rest = lines.pop() ?? ''
      if (rest.length > LINE_LENGTH_MAX) throw new CommandFailure('a line is too long to be JSON')
      yield* lines
    }
    rest += decoder.decode()
  } catch (error) {
    throw toFailure(error)
  }
  if (rest !== '') yield rest
}

function toFailure(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  const isText = error.code !== 'ERR_ENCODING_INVALID_ENCODED_DATA'
  return new CommandFailure(isText ? `the input cannot be read (${error.code})` : 'it is not UTF-8')
}
