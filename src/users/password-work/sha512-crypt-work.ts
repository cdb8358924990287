// SHA-512 crypt, computed in threads of our own: one for each that is asked for at a time, which are
// as many as there are hashing lanes. Time is a matter of the rounds, for salts of one length.

import { Worker } from 'node:worker_threads'
import type { PasswordCost, PasswordWork } from '../password-scheme.ts'

const ROUNDS_MIN = 1_000
/** Passlib makes 656,000; more take longer than the longest wait for a lane. */
const ROUNDS_MAX = 1_000_000

export const SHA512_CRYPT_RULE = `rounds <= ${ROUNDS_MAX}`

const THREAD = new URL('./sha512-crypt-thread.mjs', import.meta.url)

export interface Sha512CryptInput {
  readonly salt: Buffer
  readonly rounds: number
}

/** Undefined for what is out of bounds. */
export function sha512CryptCost({ salt, rounds }: Sha512CryptInput): PasswordCost | undefined {
  if (!(rounds >= ROUNDS_MIN && rounds <= ROUNDS_MAX)) return undefined
  return { group: `sha512-crypt ${salt.length}`, work: rounds, settings: '' }
}

/** They wait for work, and keep no process alive. */
const idle: Worker[] = []

function openThread(): Worker {
  // Nothing of how this process was started is for the thread.
  const thread = new Worker(THREAD, { execArgv: [], env: {} })
  thread.unref()
  return thread
}

/** The digest of the last round. Rejects when the thread fails; the next call starts another. */
export async function deriveSha512Crypt(
  password: Buffer,
  input: Sha512CryptInput,
): Promise<Buffer> {
  const thread = idle.pop() ?? openThread()
  thread.ref()
  const made = await askThread(thread, { password, ...input })
  thread.unref()
  idle.push(thread)
  return Buffer.from(made)
}

function askThread(thread: Worker, message: object): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    thread.once('error', reject)
    thread.once('message', (made: Uint8Array) => {
      thread.off('error', reject)
      resolve(made)
    })
    thread.postMessage(message)
  })
}

export const sha512CryptWork: PasswordWork = {
  family: 'sha512-crypt',
  async spend({ group, work: rounds }, password) {
    const salt = Buffer.alloc(Number(group.split(' ')[1]), 'equal work')
    await deriveSha512Crypt(password, { salt, rounds })
  },
}
