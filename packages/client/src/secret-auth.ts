// A client that has a secret (RFC 6749 §2.3.1).

import type { AuthContext, TokenForm } from './auth-request.ts'
import { readSecret, type SecretSource } from './secret-source.ts'

export async function proveByBasic(
  source: SecretSource,
  { headers, secrets }: TokenForm,
  { clientId }: AuthContext,
): Promise<void> {
  const secret = await readSecret(source)
  secrets.push(secret)
  // Both are form-encoded before they are joined: a colon or an umlaut would not arrive otherwise.
  const pair = `${formEncode(clientId)}:${formEncode(secret)}`
  headers.set('authorization', `Basic ${Buffer.from(pair).toString('base64')}`)
}

export async function proveByPost(
  source: SecretSource,
  { body, secrets }: TokenForm,
  { clientId }: AuthContext,
): Promise<void> {
  const secret = await readSecret(source)
  secrets.push(secret)
  body.set('client_id', clientId)
  body.set('client_secret', secret)
}

function formEncode(value: string): string {
  return new URLSearchParams({ '': value }).toString().slice(1)
}
