// Root secrets of the tests. They are fixed, as two random ones share their one-byte id once in 256
// times, and then a service that is given both refuses to start (docs/semantics.md §2).

import { openRootSecrets, type RootSecrets } from '../../src/secrets/root-secret.ts'

/** A root secret of 32 equal bytes; those of 1 to 9 have ids of their own (a test sees to it). */
export function rootSecretOf(fill: number): Buffer {
  if (!(Number.isInteger(fill) && fill >= 1 && fill <= 9)) {
    throw new RangeError('a root secret of the tests is filled with 1 to 9')
  }
  return Buffer.alloc(32, fill)
}

/** Several of them as a service has them, the one that mints first. */
export const rootSecretsOf = (...fills: number[]): RootSecrets =>
  openRootSecrets(fills.map(rootSecretOf))

/** As `LINEAGE_SECRET_KEY` holds them. */
export const secretKeyOf = (...secrets: readonly Buffer[]): string =>
  secrets.map((secret) => secret.toString('base64url')).join()

/** The root secret of every test; two instances must share it. */
export const ROOT_SECRET = rootSecretOf(6)
