// What a resource server must not take for an access token: some of it made by Lineage itself, the
// rest by somebody who knows everything but its private keys.

import { createHmac, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, type JWK } from 'jose'
import type { Test } from 'tap'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import { makeKeyPairSync } from '../../src/runtime/key-pair.ts'
import { logIn } from '../support/app.ts'
import { startSteppedDate } from '../support/stepped-date.ts'
import {
  API,
  makeConfidentialClient,
  OTHER_API,
  type Scene,
  startScene,
} from './integration-scene.ts'

export const BAD_TOKENS = [
  'expired',
  'for another audience',
  'from another issuer',
  'with changed claims',
  'signed by another key',
  'of an unknown kid',
  'without a signature',
  'with an HMAC under the public key',
  'a refresh token',
] as const

export type BadToken = (typeof BAD_TOKENS)[number]

export interface BadTarget {
  /** Of the client that they are issued to. */
  readonly input?: Partial<ClientInput>
  /** What a good token is asked for; all audiences of the client with null. */
  readonly resource: string | null
  readonly otherResource: string
}

const API_TARGET: BadTarget = { resource: API, otherResource: OTHER_API }

export async function makeBadTokens(
  t: Test,
  scene: Scene,
  good: string,
  { input, resource, otherResource } = API_TARGET,
): Promise<Record<BadToken, string>> {
  const impostor = await startScene(t, { beside: scene, issuer: 'https://impostor.example.test' })
  const date = startSteppedDate(t)
  date.step(-3600)
  // No token of a client is older than the client.
  const client = await makeConfidentialClient(scene, input)
  const from = (source: Scene, target = resource) => issueToken(source, client, target)
  const expired = await from(scene)
  date.stop()
  const { refresh_token: refreshToken } = await logIn(scene, client, await scene.makeUser())
  const { privateKey } = makeKeyPairSync('ec', { namedCurve: 'P-256' })
  const header = { ...decodeProtectedHeader(good) }
  const claims = { ...decodeJwt(good) }
  const [head = '', , signature = ''] = good.split('.')
  return {
    expired,
    'for another audience': await from(scene, otherResource),
    'from another issuer': await from(impostor),
    'with changed claims': `${head}.${encode({ ...claims, scope: 'notes:write' })}.${signature}`,
    'signed by another key': signAs(header, claims, privateKey),
    'of an unknown kid': signAs({ ...header, kid: 'made-up' }, claims, privateKey),
    'without a signature': `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`,
    'with an HMAC under the public key': signWithPublicKey(header, claims, await findJwk(scene)),
    'a refresh token': refreshToken,
  }
}

/** An access token by client credentials, for one resource or several; none is named with null. */
export async function issueToken(
  scene: Pick<Scene, 'fetch'>,
  client: { readonly id: string; readonly secret: string },
  resources: string | readonly string[] | null = API,
): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: client.id,
    client_secret: client.secret,
  })
  for (const resource of [resources ?? []].flat()) form.append('resource', resource)
  const answer = await scene.fetch('/token', { method: 'POST', body: form })
  const body = (await answer.json()) as { access_token?: string }
  if (body.access_token === undefined) throw new Error(`no token: ${JSON.stringify(body)}`)
  return body.access_token
}

/** Somebody's own token with a kid that has never been. */
export function makeStrangersToken(good: string, kid: string): string {
  const { privateKey } = makeKeyPairSync('ec', { namedCurve: 'P-256' })
  return signAs({ ...decodeProtectedHeader(good), kid }, { ...decodeJwt(good) }, privateKey)
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

function signAs(header: object, claims: object, key: KeyObject): string {
  const signed = `${encode(header)}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

/** The algorithm confusion of RFC 8725 §2.1. */
function signWithPublicKey(header: object, claims: object, jwk: JWK): string {
  const pem = createPublicKey({ key: { ...jwk }, format: 'jwk' })
  const secret = pem.export({ type: 'spki', format: 'pem' })
  const signed = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

async function findJwk(scene: Pick<Scene, 'fetch'>): Promise<JWK> {
  const { keys } = (await (await scene.fetch('/.well-known/jwks.json')).json()) as { keys: JWK[] }
  if (!keys[0]) throw new Error('no key in the JWKS')
  return keys[0]
}
