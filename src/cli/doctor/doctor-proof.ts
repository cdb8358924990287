// A proof of DPoP (RFC 9449 §4.2) by a key that lives as long as the check. It comes with a word in place of
// an access token, so what is accepted about it is the proof alone: the answer tells which URL the service
// was told of.

import { createHash, randomUUID, sign } from 'node:crypto'
import { makeKeyPair } from '../../runtime/key-pair.ts'

/** In place of an access token. */
export const NO_TOKEN = 'lineage-doctor'

export interface ProofInput {
  readonly method: string
  readonly url: string
  readonly atMs: number
  /** Whether it comes with `NO_TOKEN`. */
  readonly hasToken: boolean
}

export type MakeProof = (input: ProofInput) => string

export async function openProver(): Promise<MakeProof> {
  const { publicKey, privateKey } = await makeKeyPair('ec', { namedCurve: 'P-256' })
  const header = encode({ typ: 'dpop+jwt', alg: 'ES256', jwk: publicKey.export({ format: 'jwk' }) })
  const ath = createHash('sha256').update(NO_TOKEN).digest('base64url')
  return ({ method, url, atMs, hasToken }) => {
    const claims = { jti: randomUUID(), htm: method, htu: url, iat: Math.floor(atMs / 1000) }
    const text = `${header}.${encode({ ...claims, ...(hasToken && { ath }) })}`
    const signature = sign('sha256', Buffer.from(text), {
      key: privateKey,
      dsaEncoding: 'ieee-p1363',
    })
    return `${text}.${signature.toString('base64url')}`
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
