// A file or a stream read up to a bound: nothing that is named in place of a file fills the memory, and none
// is waited for without end.

import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

/** For a pipe that nobody writes to; standard input may be a person. */
const FILE_WAIT_MS = 10_000
/** Between two looks into a pipe. */
const PIPE_LOOK_MS = 10
const CHUNK_BYTES = 64 * 1024

/** The text, or why there is none, as the end of a sentence that begins with the name. */
export type BoundedText = { readonly text: string } | { readonly fault: string }

/** Waits `waitMs` for a pipe at most. */
export async function readBoundedFile(
  path: string,
  bytesMax: number,
  waitMs = FILE_WAIT_MS,
): Promise<BoundedText> {
  let handle: FileHandle | undefined
  try {
    // To open a pipe that nobody writes to would else occupy a thread, and keep the process from ending.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    return await readBounded(readChunks(handle, performance.now() + waitMs), bytesMax)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    return { fault: `cannot be read (${code})` }
  } finally {
    await handle?.close()
  }
}

export async function readBounded(
  stream: AsyncIterable<Uint8Array | string>,
  bytesMax: number,
): Promise<BoundedText> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Uint8Array)
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

/** An end before anything was written to a pipe is none: its writer may not have opened it yet. */
async function* readChunks(handle: FileHandle, giveUpAtMs: number): AsyncGenerator<Uint8Array> {
  const isPipe = (await handle.stat()).isFIFO()
  for (let isBegun = false; ; ) {
    const chunk = await readChunk(handle)
    if (chunk && chunk.length > 0) {
      isBegun = true
      yield chunk
      continue
    }
    if (chunk && (isBegun || !isPipe)) return
    if (performance.now() > giveUpAtMs) {
      throw Object.assign(new Error('nothing more was written'), { code: 'ETIMEDOUT' })
    }
    await delay(PIPE_LOOK_MS)
  }
}

/** Empty at the end; undefined where nothing is there yet. */
async function readChunk(handle: FileHandle): Promise<Uint8Array | undefined> {
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK_BYTES))
    return buffer.subarray(0, bytesRead)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined
    throw error
  }
}
