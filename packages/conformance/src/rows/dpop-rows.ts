// C98 to C104: tokens that are bound to a key (DPoP, RFC 9449).

import { type BadProof, badClaims, badHeaders, badTimes } from '../bad-proofs.ts'
import { type Check, expect, NotApplicable } from '../conformance-check.ts'
import { makeProver } from '../dpop-prover.ts'
import { DPOP_NEEDS, type DpopSession, listedAlgs, openDpopSession } from '../dpop-session.ts'
import { expectError, expectRefused } from '../expect-answer.ts'
import { describeAnswer, type TestedService, textOf } from '../tested-service.ts'
import { checkBinding } from './dpop-binding.ts'

const ASYMMETRIC_ALGS = ['ES256', 'EdDSA', 'ES384', 'PS256', 'RS256']

export const DPOP_ROWS: readonly Check[] = [
  {
    row: 'C98',
    level: 'MUST',
    sentence: 'Exactly one proof, typed, signed by the public asymmetric key that it carries.',
    needs: DPOP_NEEDS,
    async run(service) {
      const session = await openDpopSession(service)
      const stranger = await openDpopSession(service)
      await session.requestToken()
      await expectProofsRefused(session, badHeaders(session.prover, stranger.prover))
      await session.requestToken()
    },
  },
  {
    row: 'C99',
    level: 'MUST',
    sentence: 'A proof is for this method and URL, of now, and has a jti.',
    needs: DPOP_NEEDS,
    run: checkTarget,
  },
  {
    row: 'C100',
    level: 'SHOULD',
    sentence: 'A proof is good once.',
    needs: DPOP_NEEDS,
    async run(service) {
      const session = await openDpopSession(service)
      await session.requestToken()
      let proof = ''
      const first = await session.request(async (target) => {
        proof = await session.prover.prove(target)
        return [proof]
      })
      expect(first.status === 200, `a good proof was answered with ${describeAnswer(first)}`)
      expectRefused(await session.requestOnce(async () => [proof]), 'the same proof again')
    },
  },
  {
    row: 'C101',
    level: 'MUST',
    sentence:
      'A bound token is called DPoP, names its key, and its refresh token stays with the key.',
    needs: DPOP_NEEDS,
    run: checkBinding,
  },
  {
    row: 'C102',
    level: 'MUST',
    sentence: 'A bad proof is refused with 400 invalid_dpop_proof.',
    needs: DPOP_NEEDS,
    async run(service) {
      const session = await openDpopSession(service)
      const stranger = await openDpopSession(service)
      await session.requestToken()
      const bad = [...badHeaders(session.prover, stranger.prover), ...badClaims(session.prover)]
      for (const { name, make } of bad) {
        expectError(await session.request(make), 'invalid_dpop_proof', name)
      }
    },
  },
  {
    row: 'C103',
    level: 'MUST',
    sentence:
      'A nonce is demanded by 400 use_dpop_nonce and DPoP-Nonce, not cached, and then taken.',
    needs: DPOP_NEEDS,
    run: checkNonce,
  },
  {
    row: 'C104',
    level: 'SHOULD',
    sentence: 'The listed algorithms of proofs are asymmetric ones, and those that work.',
    needs: DPOP_NEEDS,
    run: checkAlgs,
  },
]

async function expectProofsRefused(
  session: DpopSession,
  proofs: readonly BadProof[],
): Promise<void> {
  for (const { name, make } of proofs) expectRefused(await session.request(make), name)
}

async function checkTarget(service: TestedService): Promise<void> {
  const session = await openDpopSession(service)
  const { prover, url } = session
  await session.requestToken()
  await expectProofsRefused(session, badClaims(prover))
  if (!session.asksForNonce()) await expectProofsRefused(session, badTimes(prover))
  const { protocol, host } = new URL(url)
  const origin = `${protocol}//${host}`
  const same = [`${url}?a=b#c`, url.replace(origin, origin.toUpperCase())]
  for (const htu of same) {
    const answer = await session.request(async (target) => [
      await prover.prove(target, { claims: { htu } }),
    ])
    expect(answer.status === 200, `a proof for the same URL, ${htu}, was refused`)
  }
}

/**
 * A server that wants a nonce says so, does not let that be cached, and takes the nonce it gave
 * (RFC 9449 §8).
 */
async function checkNonce(service: TestedService): Promise<void> {
  const session = await openDpopSession(service)
  const prove = async (nonce?: string) =>
    await session.requestOnce(async (target) => [await session.prover.prove({ ...target, nonce })])
  const answer = await prove()
  if (answer.status === 200) throw new NotApplicable('the service demands no nonce')
  expectError(answer, 'use_dpop_nonce', 'a proof without a nonce')
  const nonce = textOf(answer.headers['dpop-nonce'])
  expect(nonce !== undefined, 'the demand for a nonce has no DPoP-Nonce')
  const cacheControl = answer.headers['cache-control'] ?? ''
  expect(/\bno-store\b/i.test(cacheControl), 'the demand for a nonce may be cached')
  const wrong = await prove('not-the-nonce')
  expectError(wrong, ['use_dpop_nonce', 'invalid_dpop_proof'], 'a proof with a wrong nonce')
  const fresh = await prove(nonce)
  expect(fresh.status === 200, `a fresh nonce was answered with ${describeAnswer(fresh)}`)
}

async function checkAlgs(service: TestedService): Promise<void> {
  const listed = listedAlgs(service)
  expect(listed.length > 0, 'the list is empty')
  const bad = listed.find((alg) => alg === 'none' || /^HS/.test(String(alg)))
  expect(bad === undefined, `${String(bad)} is listed`)
  // Where only Ed25519 is listed, EdDSA may be another name for it.
  const tried = ASYMMETRIC_ALGS.filter((alg) => alg !== 'EdDSA' || listed.includes(alg))
  for (const alg of tried) {
    const session = await openDpopSession(service, await makeProver(alg))
    const prove = async () =>
      await session.request(async (target) => [await session.prover.prove(target)])
    const answer = await prove()
    if (listed.includes(alg)) {
      expect(answer.status === 200, `${alg} is listed, but is ${describeAnswer(answer)}`)
    } else {
      expectRefused(answer, `a proof by ${alg}, which is not listed,`)
    }
  }
}
