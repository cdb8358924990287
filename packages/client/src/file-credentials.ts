// The credentials of a login in a file that only its owner reads, shared by all processes of one user.

import { randomUUID } from 'node:crypto'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { TokenRequestError } from './client-errors.ts'
import type { Credentials, CredentialsStore } from './shared-login.ts'

const MAX_BYTES = 65_536
/** Longer than a refresh can take with all its attempts. */
const LOCK_STALE_MS = 60_000
const LOCK_WAIT_MS = 90_000
const LOCK_LOOK_MS = 50

/** A process that dies while it holds the lock keeps the others out for a minute. */
export function createFileCredentials(path: string): CredentialsStore {
  const lock = `${path}.lock`

  return {
    async load() {
      const text = await readIfThere(path)
      return text === undefined ? undefined : parseCredentials(text, path)
    },

    async save(credentials) {
      // Beside it, then in its place: nobody reads a half, and a full disk leaves the old one.
      const aside = `${path}.${randomUUID()}`
      try {
        await writeNew(aside, JSON.stringify(credentials))
        await rename(aside, path)
      } catch (cause) {
        await rm(aside, { force: true })
        throw new TokenRequestError('credentials', `${path} cannot be written`, { cause })
      }
    },

    async exclusively(work) {
      const holder = randomUUID()
      await takeLock(lock, holder)
      try {
        return await work()
      } finally {
        // Unless somebody has believed us dead.
        if ((await readIfThere(lock)) === holder) await rm(lock, { force: true })
      }
    },
  }
}

async function takeLock(lock: string, holder: string): Promise<void> {
  const beganAtMs = performance.now()
  while (!(await isMade(lock, holder))) {
    if (performance.now() - beganAtMs > LOCK_WAIT_MS) {
      throw new TokenRequestError('credentials', `${lock} cannot be taken: others hold it`)
    }
    if (await isStale(lock)) await takeAway(lock, holder)
    else await sleep(LOCK_LOOK_MS * (0.5 + Math.random()))
  }
}

/**
 * Two who have seen the same old lock must not both remove it: the second would remove the new one of the
 * first. So whoever removes it looks again, and is alone while he does.
 */
async function takeAway(lock: string, holder: string): Promise<void> {
  const guard = `${lock}.old`
  if (await isMade(guard, holder)) {
    try {
      if (await isStale(lock)) await rm(lock, { force: true })
    } finally {
      await rm(guard, { force: true })
    }
  } else {
    // Of one who died just there.
    if (await isStale(guard)) await rm(guard, { force: true })
    await sleep(LOCK_LOOK_MS * Math.random())
  }
}

async function isStale(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && found.mtimeMs < Date.now() - LOCK_STALE_MS
}

/** Whether it was not there before. */
async function isMade(path: string, holder: string): Promise<boolean> {
  try {
    await writeNew(path, holder)
    return true
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false
    throw new TokenRequestError('credentials', `${path} cannot be taken`, { cause })
  }
}

/** Fails with EEXIST where there is one. */
async function writeNew(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw new TokenRequestError('credentials', `${path} cannot be read`, { cause })
  }
}

/** What JSON.parse says of a bad file repeats a part of it, so it is no cause. */
function parseCredentials(text: string, path: string): Credentials {
  const failure = new TokenRequestError('credentials', `${path} holds no credentials`)
  if (text.length > MAX_BYTES) throw failure
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw failure
  }
  const { refreshToken } = (value ?? {}) as Partial<Credentials>
  if (typeof refreshToken !== 'string') throw failure
  return value as Credentials
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
