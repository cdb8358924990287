// What may stand in a published JWK Set, and what must not (RFC 7517 §4, §5).

import type { JWK } from 'jose'
import { expect } from './conformance-check.ts'
import { textOf } from './tested-service.ts'

/** Members of a private or symmetric key (RFC 7518 §6). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

/** Throws CheckFailure when a key is private, has no purpose, or shares its kid. */
export function expectPublicKeys(keys: readonly JWK[]): void {
  expect(keys.length > 0, 'the JWK Set is empty')
  for (const key of keys) {
    const secret = PRIVATE_MEMBERS.find((member) => member in key)
    expect(secret === undefined, `a key has the private member ${secret}`)
    expect(key.kty !== 'oct', 'a key is a shared secret')
    expect(textOf(key.kid) !== undefined, 'a key has no kid')
    expect(key.use !== undefined || key.key_ops !== undefined, 'a key has neither use nor key_ops')
    // RFC 8725 §3.1: each key has one algorithm. Only an RSA key does not show it by its type and
    // curve.
    expect(key.kty !== 'RSA' || textOf(key.alg) !== undefined, 'an RSA key has no alg')
    expect(key.alg !== 'none', 'a key has the alg none')
  }
  const kids = keys.map(({ kid }) => kid)
  expect(new Set(kids).size === kids.length, 'two keys have one kid')
}
