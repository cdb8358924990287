// Assertions of C34: whoever lacks the client's private key can make them.

import { createHmac, createPublicKey } from 'node:crypto'
import { exportJWK } from 'jose'
import { assertionClientOf, goodClaims, signAssertion } from '../client-assertion.ts'
import type { Forgery } from '../forged-tokens.ts'
import { makeFreshKeys } from '../fresh-keys.ts'
import type { TestedService } from '../tested-service.ts'

/** Of the algorithms that one key can sign with. */
const SIBLINGS: Readonly<Record<string, string>> = {
  RS256: 'PS256',
  PS256: 'RS256',
  RS384: 'RS256',
  PS384: 'PS256',
  RS512: 'RS256',
  PS512: 'PS256',
}

export async function forgeAssertions(service: TestedService): Promise<readonly Forgery[]> {
  const client = assertionClientOf(service)
  const claims = goodClaims(service)
  const { alg, privateJwk } = client
  const spki = createPublicKey({ key: { ...privateJwk }, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  })
  const { privateKey } = await makeFreshKeys(alg)
  const { kid } = privateJwk
  const foreign = { ...(await exportJWK(privateKey)), ...(kid === undefined ? {} : { kid }) }
  const stranger = { alg, privateJwk: foreign }
  const good = await signAssertion(client, claims)
  const changed = `${good.split('.')[0]}.${encode({ ...claims, jti: 'another' })}.${good.split('.')[2]}`
  const forgeries = [
    { name: 'alg none', token: `${encode({ alg: 'none' })}.${encode(claims)}.` },
    { name: 'another key', token: await signAssertion(stranger, claims) },
    { name: 'claims that were changed', token: changed },
    { name: 'no signature', token: `${good.split('.').slice(0, 2).join('.')}.` },
    { name: 'HS256 under the public key', token: signHmac(claims, String(spki)) },
    { name: 'HS256 under the id', token: signHmac(claims, client.id) },
  ]
  const sibling = SIBLINGS[alg]
  if (sibling === undefined) return forgeries
  const { alg: _, ...anyAlg } = privateJwk
  const other = await signAssertion({ alg: sibling, privateJwk: anyAlg }, goodClaims(service))
  return [...forgeries, { name: `the right key and ${sibling}`, token: other }]
}

function signHmac(claims: object, secret: string): string {
  const input = `${encode({ alg: 'HS256' })}.${encode(claims)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
