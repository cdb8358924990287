// The secret that a resource takes from a file or from the environment. No message has any of it.

import { resolve } from 'node:path'
import type { FieldError } from '../runtime/field-error.ts'
import type { Resource } from './declared-resource.ts'
import { readBoundedFile } from './read-bounded.ts'

const SECRET_BYTES_MAX = 4_096

/** The variables by name; those of the service are among them. */
export type SecretEnvironment = Readonly<Record<string, string | undefined>>

/** Undefined for a resource that names none. */
export type FoundSecret = { readonly secret: string | undefined } | { readonly error: FieldError }

export async function findSecret(
  { secretFrom, place }: Resource,
  env: SecretEnvironment,
): Promise<FoundSecret> {
  const { file, env: name } = secretFrom ?? {}
  if (name !== undefined) {
    const secret = Object.hasOwn(env, name) ? env[name] : undefined
    if (secret) return { secret }
    return { error: { pointer: '/secretFrom/env', detail: 'names a variable that is not set' } }
  }
  if (file === undefined) return { secret: undefined }
  const read = await readBoundedFile(resolve(place.folder, file), SECRET_BYTES_MAX)
  const refuse = (detail: string) => ({ error: { pointer: '/secretFrom/file', detail } })
  if ('fault' in read) return refuse(`names a file that ${read.fault}`)
  const secret = withoutLineEnd(read.text)
  return secret === '' ? refuse('names a file that is empty') : { secret }
}

/** What an editor puts at the end of a file. */
function withoutLineEnd(text: string): string {
  if (text.endsWith('\r\n')) return text.slice(0, -2)
  return text.endsWith('\n') ? text.slice(0, -1) : text
}
