// The secrets that embedded mode makes for itself once and keeps in the data directory.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { StartError } from '../runtime/start-error.ts'
import { loadOrMakePrivateFile } from './private-file.ts'

const SECRET_BYTES = 32
const FORM = /^[A-Za-z0-9_-]{43}$/

/** The root secret, 32 bytes. Throws StartError when the kept file holds something else. */
export async function loadRootSecret(dataDir: string): Promise<Buffer> {
  return Buffer.from(await loadSecret(join(dataDir, 'root-secret')), 'base64url')
}

/** A kept random secret of 256 bits, as base64url. Throws StartError like loadRootSecret. */
export async function loadSecret(path: string): Promise<string> {
  const kept = await loadOrMakePrivateFile(path, () =>
    randomBytes(SECRET_BYTES).toString('base64url'),
  )
  const secret = kept.trim()
  if (!FORM.test(secret)) throw new StartError(`${path} does not hold 32 bytes in base64url`)
  return secret
}
