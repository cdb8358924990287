// Scopes and resources as requests name them (RFC 6749 §3.3, RFC 8707 §2).

import type { Form } from './form.ts'
import type { State } from './state.ts'
import { type Has, Refusal } from './wire.ts'

/**
 * What is granted of `allowed`; all of it when nothing is asked for. Throws invalid_scope for more
 * than that, and for characters that no scope has.
 */
export function grantScope(
  text: string | undefined,
  allowed: readonly string[],
  has: Has,
  isWidened = false,
): readonly string[] {
  if (text === undefined) return allowed
  if (!/^[\x21\x23-\x5b\x5d-\x7e ]*$/.test(text)) {
    if (has('scope-charset-ignored')) return allowed
    throw invalidScope(text, has)
  }
  const asked = text.split(' ').filter((one) => one !== '')
  const wanted = has('scope-case-folded') ? asked.map((one) => one.toLowerCase()) : asked
  const known = wanted.filter((one) => allowed.includes(one))
  if (has('scope-beyond-client-granted') || isWidened) return wanted
  if (known.length < wanted.length) throw invalidScope(text, has)
  return has('repeated-scope-kept') ? known : [...new Set(known)]
}

function invalidScope(text: string, has: Has): Refusal {
  const description = has('input-reflected') ? `"${text}" is not granted` : 'more than is granted'
  return new Refusal('invalid_scope', description, has('invalid-scope-as-403') ? 403 : 400)
}

/** The resources of a request, all of them known. Throws invalid_target. */
export function grantResources(
  { has, resources }: State,
  form: Form,
  granted: readonly string[] = resources,
): readonly string[] {
  const asked = form.all('resource')
  for (const resource of asked) {
    const isAllowed = granted.includes(has('resource-fragment-cut') ? cut(resource) : resource)
    const isWaved = has('unknown-resource-taken') && isAbsolute(resource)
    if (!isAllowed && !isWaved) throw new Refusal('invalid_target', 'the resource is not known')
  }
  if (asked.length > 0) return asked.map((one) => (has('resource-fragment-cut') ? cut(one) : one))
  return granted
}

const cut = (resource: string): string => resource.replace(/#.*$/, '')
const isAbsolute = (resource: string): boolean => /^https?:\/\/[^#]+$/.test(resource)
