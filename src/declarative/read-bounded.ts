// A file or a stream read up to a bound: nothing that is named in place of a file fills the memory, and none
// is waited for without end.

import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'

/** For a pipe that nobody writes to; standard input may be a person. */
const FILE_WAIT_MS = 10_000

/** The text, or why there is none, as the end of a sentence that begins with the name. */
export type BoundedText = { readonly text: string } | { readonly fault: string }

export async function readBoundedFile(path: string, bytesMax: number): Promise<BoundedText> {
  try {
    const signal = AbortSignal.timeout(FILE_WAIT_MS)
    return await readBounded(createReadStream(path, { end: bytesMax, signal }), bytesMax)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    return { fault: `cannot be read (${code})` }
  }
}

export async function readBounded(stream: Readable, bytesMax: number): Promise<BoundedText> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Uint8Array | string)
    chunks.push(bytes)
    length += bytes.length
    if (length > bytesMax) return { fault: `has more than ${bytesMax} bytes` }
  }
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
    return { text: decoder.decode(Buffer.concat(chunks)) }
  } catch {
    return { fault: 'is not UTF-8' }
  }
}
