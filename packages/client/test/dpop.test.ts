// Tokens that are bound to a key (RFC 9449): proofs at the token endpoint and at an API, and the nonces that
// both may ask for. The API is the verifier of the package beside this one.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  calculateJwkThumbprint,
  decodeProtectedHeader,
  EmbeddedJWK,
  generateKeyPair,
  jwtVerify,
} from 'jose'
import { type Test, test } from 'tap'
import { createVerifier, presentRequest } from '../../verify/src/lineage-verify.ts'
import { createProofNonces } from '../../verify/src/proof-nonces.ts'
import { AUDIENCE, startIssuerScene } from '../../verify/test/issuer-scene.ts'
import { type DpopInput, generateDpopKey } from '../src/dpop-prover.ts'
import { makeFreshKeys } from '../src/fresh-keys.ts'
import { createTokenSource } from '../src/token-source.ts'
import { answerJson, type SeenRequest, startScriptedIssuer } from './scripted-issuer.ts'

/** The thumbprint of a good proof; throws for every other. */
async function readProof({ headers }: SeenRequest, htu: string, nonce?: string): Promise<string> {
  const proof = String(headers.dpop)
  const { payload } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', maxTokenAge: 60 })
  const { jwk } = decodeProtectedHeader(proof)
  if (payload.htm !== 'POST' || payload.htu !== htu) throw new Error('another target')
  if (payload.nonce !== nonce) throw new Error('another nonce')
  if (!payload.jti || !jwk || 'd' in jwk) throw new Error('no proof')
  return await calculateJwkThumbprint(jwk)
}

/** A token endpoint and an API that both ask for nonces. */
async function openScene(t: Test, dpop: DpopInput) {
  const scene = await startIssuerScene(t)
  const key = await scene.makeKey('key')
  const issuer = await startScriptedIssuer(t, async (request, response, number) => {
    const asked = number === 1 ? undefined : 'nonce-1'
    const jkt = await readProof(request, issuer.tokenEndpoint, asked)
    if (number === 1) {
      return answerJson(response, 400, { error: 'use_dpop_nonce' }, { 'dpop-nonce': 'nonce-1' })
    }
    const token = await scene.sign(key, { cnf: { jkt }, jti: String(number) })
    return answerJson(response, 200, { access_token: token, token_type: 'DPoP', expires_in: 600 })
  })
  const nonces = createProofNonces(randomBytes(32))
  const verifier = createVerifier({ issuer: scene.issuer, audience: AUDIENCE, dpop: { nonces } })
  const seen: string[] = []
  const api = createServer(async (request, response) => {
    const result = await verifier.authorize(presentRequest(request))
    const { headers } = result.ok ? result : result.refusal
    seen.push(result.ok ? 'ok' : result.refusal.reason)
    response.writeHead(result.ok ? 200 : result.refusal.status, headers).end()
  }).listen(0, '127.0.0.1')
  await once(api, 'listening')
  t.teardown(() => {
    api.closeAllConnections()
    api.close()
  })
  const source = createTokenSource({
    tokenEndpoint: issuer.tokenEndpoint,
    clientId: 'client',
    auth: { method: 'client_secret_basic', secret: 'secret' },
    dpop,
  })
  const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}/notes`
  return { issuer, source, seen, url }
}

test('nonces are met once each and remembered, at both ends', async (t) => {
  const { issuer, source, seen, url } = await openScene(t, true)
  t.equal((await source.fetch(`${url}?page=1`)).status, 200)
  t.equal((await source.fetch(new URL(url), { method: 'post', body: 'x' })).status, 200)
  t.strictSame(seen, ['proof_nonce', 'ok', 'ok'])
  t.equal(issuer.requests.length, 2)
  t.equal((await source.getToken()).tokenType, 'DPoP')
})

test('a key may be given in every form', async (t) => {
  const jwk = await generateDpopKey()
  const pair = await generateKeyPair('EdDSA')
  const rsa = await makeFreshKeys('PS256')
  for (const dpop of [{ key: jwk }, { key: pair }, { key: rsa.privateKey }]) {
    const { source, seen, url } = await openScene(t, dpop)
    t.equal((await source.fetch(url)).status, 200)
    t.strictSame(seen, ['proof_nonce', 'ok'])
  }
  const lone = await openScene(t, { key: pair.privateKey })
  await t.rejects(lone.source.fetch(lone.url), { code: 'credentials' })
})

test('a server that goes on asking for nonces is refusing', async (t) => {
  const issuer = await startScriptedIssuer(t, (_, response, number) =>
    answerJson(response, 400, { error: 'use_dpop_nonce' }, { 'dpop-nonce': `nonce-${number}` }),
  )
  const { tokenEndpoint } = issuer
  const auth = { method: 'none' } as const
  const source = createTokenSource({ tokenEndpoint, clientId: 'client', auth, dpop: true })
  await t.rejects(source.getToken(), { name: 'OAuthResponseError', error: 'use_dpop_nonce' })
  t.equal(issuer.requests.length, 2)
})
