// The names that a client lists: of grants and of authentication methods. Their lists know clients, so
// they are handed in here; what each type of client may list follows from what they say.

import type { FieldError } from '../runtime/field-error.ts'
import type { Client } from './client.ts'
import type { ClientKeySettings } from './client-keys.ts'
import type { SigningChoices } from './client-signing.ts'

export interface ClientChoices extends SigningChoices {
  readonly grants: readonly { readonly name: string; readonly confidentialOnly: boolean }[]
  readonly authMethods: readonly {
    readonly method: string
    readonly proof: 'nothing' | 'secret' | 'key'
    readonly findLack?: (client: ClientKeySettings) => string | undefined
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

/** Whether one of its methods needs a secret of the client. */
export function usesSecret(
  { authMethods }: Pick<Client, 'authMethods'>,
  choices: Pick<ClientChoices, 'authMethods'>,
): boolean {
  return choices.authMethods.some(
    ({ method, proof }) => proof === 'secret' && authMethods.includes(method),
  )
}

/** A public client proves nothing, and a confidential one something, for which it has all it needs. */
export function checkChoices(
  draft: Pick<Client, 'type' | 'grantTypes' | 'authMethods'> & ClientKeySettings,
  choices: ClientChoices,
): FieldError[] {
  const { type, grantTypes, authMethods } = draft
  const errors: FieldError[] = []
  const methods = choices.authMethods
    .filter(({ proof }) => (proof === 'nothing') === (type === 'public'))
    .map(({ method }) => method)
  if (authMethods.length === 0 || !authMethods.every((method) => methods.includes(method))) {
    const detail = `must be one or more of ${methods.join(', ')} for a ${type} client`
    errors.push({ pointer: '/authMethods', detail })
  }
  for (const { method, findLack } of choices.authMethods) {
    const lack = authMethods.includes(method) ? findLack?.(draft) : undefined
    if (lack) errors.push({ pointer: '/authMethods', detail: `${method} ${lack}` })
  }
  for (const { name, confidentialOnly } of type === 'public' ? choices.grants : []) {
    if (confidentialOnly && grantTypes.includes(name)) {
      errors.push({ pointer: '/grantTypes', detail: `must not have ${name} when public` })
    }
  }
  return errors
}
