// An issuer of which nothing is there but its keys, and what it signs: it can go away, hang, grow and change
// its keys at any moment.

import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, type JWK, type JWTHeaderParameters, SignJWT } from 'jose'
import type { Test } from 'tap'
import { makeFreshKeys } from '../../client/src/fresh-keys.ts'
import type { PresentedRequest } from '../src/presented-request.ts'

export const AUDIENCE = 'https://notes.example.test'

export interface IssuerKeyPair {
  readonly jwk: JWK
  readonly privateKey: Awaited<ReturnType<typeof makeFreshKeys>>['privateKey']
}

export interface IssuerScene {
  readonly issuer: string
  /** How often its keys were asked for. */
  asked: number
  /** What it publishes. */
  keys: JWK[]
  /** Answers in place of it. */
  answer: ((response: ServerResponse) => void) | undefined
  readonly nowMs: () => number
  step(ms: number): void
  makeKey(kid: string, alg?: string): Promise<IssuerKeyPair>
  sign(key: IssuerKeyPair, claims?: object, header?: Partial<JWTHeaderParameters>): Promise<string>
}

export async function startIssuerScene(t: Test): Promise<IssuerScene> {
  let stepped = 0
  const server = createServer((_, response) => {
    scene.asked += 1
    if (scene.answer) return scene.answer(response)
    response.setHeader('cache-control', 'public, max-age=300')
    return response.end(JSON.stringify({ keys: scene.keys }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const scene: IssuerScene = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: 0,
    keys: [],
    answer: undefined,
    nowMs: () => Date.now() + stepped,
    step(ms) {
      stepped += ms
    },
    async makeKey(kid, alg = 'ES256') {
      const pair = await makeFreshKeys(alg)
      const jwk = { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' }
      scene.keys.push(jwk)
      return { jwk, privateKey: pair.privateKey }
    },
    async sign({ jwk, privateKey }, claims = {}, header = {}) {
      const iat = Math.floor(scene.nowMs() / 1000)
      const subject = { iss: scene.issuer, aud: AUDIENCE, sub: 'user', client_id: 'client' }
      const all = { ...subject, jti: 'id', iat, exp: iat + 600, scope: 'notes:read', ...claims }
      return await new SignJWT(all)
        .setProtectedHeader({ alg: jwk.alg ?? '', kid: jwk.kid ?? '', typ: 'at+jwt', ...header })
        .sign(privateKey)
    },
  }
  return scene
}

export function bearer(token: string, more: Partial<PresentedRequest> = {}): PresentedRequest {
  return {
    method: 'GET',
    url: 'https://api.example.test/notes',
    authorization: `Bearer ${token}`,
    dpop: undefined,
    certificate: undefined,
    ...more,
  }
}
