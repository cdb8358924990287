// The parameters of a form, as whoever reads them sees it: by name, each once, an empty one absent.

import { OAuthError } from './oauth-error.ts'

/** `Name` are those that the reader may ask for. */
export interface Parameters<Name extends string = string> {
  /** The value, or undefined when it is absent or empty. */
  get(name: Name): string | undefined
  /** Every non-empty value of `resource`. */
  readonly resources: readonly string[]
}

/** The value of a required parameter; throws `invalid_request`, with its name. */
export function requireParameter<Name extends string>(form: Parameters<Name>, name: Name): string {
  const value = form.get(name)
  if (value === undefined) throw new OAuthError('parameter_missing', { parameter: name })
  return value
}
