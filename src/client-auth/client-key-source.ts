// Where the keys of a client are looked for: with the client, or at the place that it has for them.

import { type KeySource, statedKeys } from '../assertions/key-source.ts'
import type { RemoteKeys } from '../assertions/remote-keys.ts'
import type { Client } from '../clients/client.ts'

/** Undefined for a client without keys. */
export function keySourceOf(
  { jwks, jwksUri, allowPrivateNetwork }: Client,
  remoteKeys: RemoteKeys,
): KeySource | undefined {
  if (jwks) return statedKeys(jwks)
  return jwksUri === null ? undefined : remoteKeys.at(jwksUri, allowPrivateNetwork)
}
