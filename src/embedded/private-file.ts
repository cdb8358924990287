// Small files that only their owner reads. If the process dies, a file is complete or not there at
// all.

import { randomBytes } from 'node:crypto'
import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Replaces `path` by `text` in one step, with mode 0600. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await withTemporaryFile(path, text, (temporary) => rename(temporary, path))
}

/**
 * The content of `path`; made by `make` when there is no such file. Of several that make it at once
 * one wins, and all get its content.
 */
export async function loadOrMakePrivateFile(path: string, make: () => string): Promise<string> {
  const kept = await readIfThere(path)
  if (kept !== undefined) return kept
  await withTemporaryFile(path, make(), async (temporary) => {
    try {
      await link(temporary, path)
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error
    }
  })
  return await readFile(path, 'utf8')
}

/** Undefined when there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

async function withTemporaryFile(
  path: string,
  text: string,
  publish: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await publish(temporary)
    await syncDirectory(dirname(path))
  } finally {
    await rm(temporary, { force: true })
  }
}

/** A new name survives a power cut only after its directory was flushed to the disk. */
async function syncDirectory(path: string): Promise<void> {
  const dir = await open(path, 'r')
  try {
    await dir.sync()
  } finally {
    await dir.close()
  }
}

export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
