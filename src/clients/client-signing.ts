// The algorithm that a client's tokens are signed with: one that there are keys of. What is configured is
// handed in.

import type { FieldError } from '../runtime/field-error.ts'
import type { Client } from './client.ts'

export interface SigningChoices {
  /** The first is the default. */
  readonly signingAlgs: readonly string[]
}

export function checkSigningAlg(
  { signingAlg }: Pick<Client, 'signingAlg'>,
  { signingAlgs }: SigningChoices,
): FieldError[] {
  if (signingAlg === null || signingAlgs.includes(signingAlg)) return []
  return [{ pointer: '/signingAlg', detail: `must be one of ${signingAlgs.join(', ')}` }]
}
