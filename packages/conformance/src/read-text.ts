// Text from a file or from standard input, bounded: nobody's memory is filled by a wrong file name.

import { CommandFailure } from './command-context.ts'

const BYTES_MAX = 64 * 1024
const LINE_END = 0x0a

/**
 * Everything up to the end of the input, or up to the end of its `lines`th line: a pipe that has
 * given them may stay open. Throws CommandFailure, whose message begins with `what`.
 */
export async function readText(
  input: AsyncIterable<string | Buffer>,
  what: string,
  lines = Number.POSITIVE_INFINITY,
): Promise<string> {
  const chunks: Buffer[] = []
  let [size, lineEnds] = [0, 0]
  try {
    for await (const chunk of input) {
      const bytes = Buffer.from(chunk)
      chunks.push(bytes)
      size += bytes.length
      lineEnds += bytes.filter((byte) => byte === LINE_END).length
      if (lineEnds >= lines || size > BYTES_MAX) break
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown'
    throw new CommandFailure(`${what} cannot be read (${code})`)
  }
  if (size > BYTES_MAX) throw new CommandFailure(`${what} cannot be read (too large)`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw new CommandFailure(`${what} cannot be read (not UTF-8)`)
  }
}
