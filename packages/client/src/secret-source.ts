// Where a secret, a platform's token or an assertion comes from. What is in a file or a function is asked
// for before every request, so that whoever replaces it needs no restart.

import { type FileHandle, open } from 'node:fs/promises'
import { TokenRequestError } from './client-errors.ts'

export type SecretSource =
  | string
  | (() => string | Promise<string>)
  /** A path, such as that of a service account's projected token in Kubernetes. */
  | { readonly file: string }

const MAX_BYTES = 65_536

/** Without a trailing line break. Throws TokenRequestError when there is nothing. */
export async function readSecret(source: SecretSource): Promise<string> {
  const secret = await readSource(source)
  if (typeof secret !== 'string' || secret === '') {
    throw new TokenRequestError('credentials', 'there is no secret, token or assertion')
  }
  return secret
}

async function readSource(source: SecretSource): Promise<string> {
  if (typeof source === 'string') return source
  if (typeof source === 'object') return await readBounded(source.file)
  try {
    return await source()
  } catch (cause) {
    throw new TokenRequestError('credentials', 'the function that gives it has failed', { cause })
  }
}

async function readBounded(path: string): Promise<string> {
  let file: FileHandle | undefined
  try {
    file = await open(path)
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_BYTES + 1), 0, MAX_BYTES + 1, 0)
    if (bytesRead > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`)
    const text = buffer.toString('utf8', 0, bytesRead)
    return text.endsWith('\n') ? text.slice(0, text.endsWith('\r\n') ? -2 : -1) : text
  } catch (cause) {
    throw new TokenRequestError('credentials', `${path} cannot be read`, { cause })
  } finally {
    await file?.close()
  }
}
