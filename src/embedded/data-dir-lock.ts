// A data directory is held by one service at a time. The name of the lock file says which process
// holds it, so a lock is complete as soon as the file exists, and that of a killed service is seen
// to be stale.

import { mkdir, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { StartError } from '../runtime/start-error.ts'
import { isCode } from './private-file.ts'
import { isRunning, processStartTime } from './process-identity.ts'

const LOCK_NAME = /^lock\.(\d+)\.(\d+)$/
const ATTEMPTS = 5

export interface HeldDataDir {
  /** The real path of the directory. */
  readonly path: string
  release(): Promise<void>
}

/**
 * Makes `dataDir` (0700) where it is missing and takes it. Throws StartError when another service
 * holds it, or when it is no directory that we can write to.
 */
export async function holdDataDir(dataDir: string): Promise<HeldDataDir> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    const path = await realpath(dataDir)
    const lock = await takeLock(path)
    return { path, release: () => rm(lock, { force: true }) }
  } catch (error) {
    if (error instanceof StartError) throw error
    throw new StartError(`the data directory ${dataDir} ${nameProblem(error)}`, { cause: error })
  }
}

async function takeLock(path: string): Promise<string> {
  const own = `lock.${process.pid}.${processStartTime(process.pid)}`
  const lock = join(path, own)
  for (let attempt = 1; ; attempt += 1) {
    // The own lock is made before looking for others: of two at once, at least one sees the other.
    await writeFile(lock, '', { mode: 0o600 })
    const holder = await findHolder(path, own)
    if (holder === undefined) return lock
    await rm(lock, { force: true })
    if (attempt === ATTEMPTS) {
      throw new StartError(`the data directory ${path} is in use by process ${holder}`)
    }
    // Two that saw each other have both let go; a random pause makes one of them first.
    await delay(5 + Math.random() * 50)
  }
}

/** The live process, other than `own`, that holds the directory; forgets those that have ended. */
export async function findHolder(path: string, own = ''): Promise<number | undefined> {
  for (const name of await readdir(path)) {
    const [, pid, startTime] = LOCK_NAME.exec(name) ?? []
    if (name === own || pid === undefined || startTime === undefined) continue
    if (isRunning(Number(pid), startTime)) return Number(pid)
    await rm(join(path, name), { force: true })
  }
  return undefined
}

function nameProblem(error: unknown): string {
  if (isCode(error, 'EEXIST') || isCode(error, 'ENOTDIR')) return 'is not a directory'
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return `is not writable (${code})`
}
