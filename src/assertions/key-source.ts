// Where the keys of an issuer come from: stated once, or read from where it publishes them.

import { type KeyUse, openVerificationKey, type VerificationKey } from './verification-key.ts'

/** Several issuers never share a source: a `kid` means something within one of them only. */
export interface KeySource {
  /**
   * The keys as they are known, or undefined where they cannot be had. A promise only where somebody else is
   * asked for them. Never rejects.
   */
  current(): Keys | Promise<Keys>
  /** Looks once more, where that may tell something new; else undefined. Never rejects. */
  renewed(): Keys | Promise<Keys>
}

type Keys = readonly VerificationKey[] | undefined

/** Those that we can use; others are another reader's. */
export function openKeys(jwks: readonly unknown[], use?: KeyUse): readonly VerificationKey[] {
  return jwks.flatMap((jwk) => openVerificationKey(jwk, use).key ?? [])
}

const opened = new WeakMap<object, readonly VerificationKey[]>()

/** Keys that are stated; they are opened once for as long as the object lives. */
export function statedKeys(jwks: { readonly keys: readonly object[] }, use?: KeyUse): KeySource {
  return {
    current() {
      const keys = opened.get(jwks) ?? openKeys(jwks.keys, use)
      opened.set(jwks, keys)
      return keys
    },
    renewed: () => undefined,
  }
}
