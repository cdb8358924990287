// Who the database server runs as. PostgreSQL refuses to run as root, so there another existing
// account takes its place.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { StartError } from '../runtime/start-error.ts'

export interface Account {
  readonly uid: number
  readonly gid: number
}

const CANDIDATES = ['postgres', 'nobody']

/** Undefined when our own account can run it. Throws StartError when no account can. */
export async function findServerAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  for (const name of CANDIDATES) {
    const account = await findAccount(name)
    if (account) return account
  }
  throw new StartError(
    'PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody"',
  )
}

async function findAccount(name: string): Promise<Account | undefined> {
  try {
    const uid = await runId('-u', name)
    const gid = await runId('-g', name)
    return uid === 0 ? undefined : { uid, gid }
  } catch {
    return undefined
  }
}

async function runId(option: string, name: string): Promise<number> {
  const { stdout } = await promisify(execFile)('id', [option, name])
  return Number.parseInt(stdout, 10)
}
