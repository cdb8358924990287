// The names that a client lists: of grants and of authentication methods. Their lists know clients, so
// they are handed in here; what each type of client may list follows from what they say.

import type { FieldError } from '../runtime/field-error.ts'
import type { Client } from './client.ts'
import type { SigningChoices } from './client-signing.ts'

export interface ClientChoices extends SigningChoices {
  readonly grants: readonly { readonly name: string; readonly confidentialOnly: boolean }[]
  readonly authMethods: readonly {
    readonly method: string
    readonly proof: 'nothing' | 'secret' | 'key'
  }[]
}

/** Those of a client that lists none. */
export function defaultMethods(
  type: Client['type'],
  { authMethods }: Pick<ClientChoices, 'authMethods'>,
): string[] {
  const wanted = type === 'public' ? 'nothing' : 'secret'
  return authMethods.filter(({ proof }) => proof === wanted).map(({ method }) => method)
}

/** A public client proves nothing, and a confidential one something. */
export function checkChoices(
  { type, grantTypes, authMethods }: Pick<Client, 'type' | 'grantTypes' | 'authMethods'>,
  choices: ClientChoices,
): FieldError[] {
  const errors: FieldError[] = []
  const methods = choices.authMethods
    .filter(({ proof }) => (proof === 'nothing') === (type === 'public'))
    .map(({ method }) => method)
  if (authMethods.length === 0 || !authMethods.every((method) => methods.includes(method))) {
    const detail = `must be one or more of ${methods.join(', ')} for a ${type} client`
    errors.push({ pointer: '/authMethods', detail })
  }
  for (const { name, confidentialOnly } of type === 'public' ? choices.grants : []) {
    if (confidentialOnly && grantTypes.includes(name)) {
      errors.push({ pointer: '/grantTypes', detail: `must not have ${name} when public` })
    }
  }
  return errors
}
