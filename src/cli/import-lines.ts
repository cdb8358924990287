// The lines of a file to import. A line that cannot be read is a fault of that line: the lines after
// it are read all the same.

import type { Readable } from 'node:stream'
import { toReadFailure } from './read-lines.ts'

const LINE_BYTES_MAX = 64 * 1024
const LINE_END = 0x0a

export interface ImportLine {
  /** From 1. */
  readonly line: number
  /** How far the source is read, with this line. */
  readonly bytesRead: number
  /** Without its end; undefined where `fault` says why it cannot be read. */
  readonly text: string | undefined
  readonly fault?: string
}

/** Throws CommandFailure when the source itself cannot be read. */
export async function* readImportLines(input: Readable): AsyncGenerator<ImportLine> {
  let parts: Buffer[] = []
  let [length, line, bytesRead] = [0, 0, 0]

  function keep(part: Buffer): void {
    length += part.length
    bytesRead += part.length
    // What is too long is not kept.
    if (length <= LINE_BYTES_MAX) parts.push(part)
    else parts = []
  }

  function take(): ImportLine {
    line += 1
    const content =
      length > LINE_BYTES_MAX
        ? { text: undefined, fault: `is longer than ${LINE_BYTES_MAX} bytes` }
        : decode(Buffer.concat(parts))
    parts = []
    length = 0
    return { line, bytesRead, ...content }
  }

  try {
    for await (const chunk of input) {
      const bytes = Buffer.from(chunk)
      let start = 0
      for (let end = bytes.indexOf(LINE_END); end !== -1; end = bytes.indexOf(LINE_END, start)) {
        keep(bytes.subarray(start, end))
        bytesRead += 1
        start = end + 1
        yield take()
      }
      keep(bytes.subarray(start))
    }
  } catch (error) {
    throw toReadFailure(error, 'the file')
  }
  if (length > 0) yield take()
}

/** A mark of the byte order at the beginning is no part of the text. */
function decode(bytes: Buffer): Pick<ImportLine, 'text' | 'fault'> {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim() }
  } catch {
    return { text: undefined, fault: 'is not UTF-8' }
  }
}
