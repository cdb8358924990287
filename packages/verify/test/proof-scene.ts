// A client's key and the proofs that it makes, good ones and such as no API may take (RFC 9449 §4).

import { createHash, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, type JWK, SignJWT } from 'jose'
import { makeFreshKeys } from '../../client/src/fresh-keys.ts'

export interface ProofKey {
  readonly jwk: JWK
  readonly thumbprint: string
  /** Claims and header members may be changed; undefined takes one away. */
  prove(claims: object, header?: object): Promise<string>
}

export async function makeProofKey(alg = 'ES256'): Promise<ProofKey> {
  const { publicKey, privateKey } = await makeFreshKeys(alg)
  const jwk = await exportJWK(publicKey)
  return {
    jwk,
    thumbprint: await calculateJwkThumbprint(jwk),
    prove: (claims, header = {}) =>
      new SignJWT({ jti: randomUUID(), ...claims })
        .setProtectedHeader({ typ: 'dpop+jwt', jwk, ...header, alg })
        .sign(privateKey),
  }
}

export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
