// What a test wishes of a token, as the form parameters that oauth4webapi and openid-client take.

import type { TokenWishes } from './client-suite.ts'

export function toParameters({ scope, resource = [] }: TokenWishes): URLSearchParams {
  const parameters = new URLSearchParams(scope === undefined ? {} : { scope })
  for (const value of [resource].flat()) parameters.append('resource', value)
  return parameters
}
