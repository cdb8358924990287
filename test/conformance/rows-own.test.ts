// The rows whose features neither Lineage nor the stand-in has: that they pass where the feature is
// right, fail for each mistake, and are skipped where it is not there. And the forger's own work.

import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { test } from 'tap'
import { forgeClaims, forgeHeaders } from '../../src/conformance/forged-tokens.ts'
import { readJwt } from '../../src/conformance/issued-tokens.ts'
import { nearMissesOf } from '../../src/conformance/live-tokens.ts'
import { runConformance } from '../../src/conformance/run-checks.ts'
import { type Mistake, startExchangeService } from './exchange-service.ts'

const MISTAKES: readonly (readonly [row: string, mistake: Mistake, reason: RegExp])[] = [
  ['C106', 'subject-not-verified', /a subject_token that was changed/],
  ['C106', 'subject-not-live', /a subject_token that was revoked/],
  ['C106', 'subject-type-not-needed', /no subject_token_type/],
  ['C106', 'issued-type-missing', /no issued_token_type/],
  ['C106', 'scope-widened', /notes:write/],
  ['C106', 'actor-not-named', /name its actor in act/],
  ['C111', 'index-counted', /counted up/],
  ['C111', 'list-typ-plain', /typ JWT/],
  ['C111', 'list-of-another-sub', /the sub/],
  ['C111', 'list-without-iat', /no iat/],
  ['C111', 'list-as-json', /application\/json/],
  ['C111', 'fresh-token-not-valid', /not valid in its list/],
]

test('token exchange and a status list that are right pass (C106, C111)', async (t) => {
  const { issuer, client: confidentialClient } = await startExchangeService(t)
  const { rows } = await runConformance({
    issuer,
    credentials: { confidentialClient },
    only: ['C106', 'C111'],
  })
  t.strictSame(
    rows.map(({ row, status, reason }) => [row, status, reason]),
    [
      ['C106', 'PASS', undefined],
      ['C111', 'PASS', undefined],
    ],
  )
})

for (const [row, mistake, reason] of MISTAKES) {
  test(`${row} fails where a service has the mistake ${mistake}`, async (t) => {
    const { issuer, client: confidentialClient } = await startExchangeService(t, mistake)
    const { rows } = await runConformance({
      issuer,
      credentials: { confidentialClient },
      only: [row],
    })
    t.match(rows, [{ row, status: 'FAIL', reason }])
  })
}

test('each forgery is another token than the genuine one, with its own name', async (t) => {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const make = () =>
    new SignJWT({ sub: 'somebody', jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'RS256', kid: 'one', typ: 'at+jwt' })
      .sign(privateKey)
  const genuine = {
    token: await make(),
    other: await make(),
    publicKey: await exportJWK(publicKey),
  }
  const forgeries = [...(await forgeClaims(genuine)), ...(await forgeHeaders(genuine))]
  t.equal(new Set(forgeries.map(({ name }) => name)).size, forgeries.length)
  t.equal(
    new Set([genuine.token, ...forgeries.map(({ token }) => token)]).size,
    forgeries.length + 1,
  )
  const jwts = forgeries.filter(({ token }) => readJwt(token))
  t.equal(jwts.length, forgeries.length - 1, 'all but one are JWTs to the eye')
  t.ok(jwts.some(({ token }) => readJwt(token)?.header.alg === 'none'))
  t.ok(jwts.some(({ token }) => readJwt(token)?.header.alg === 'HS256'))
})

test('near misses of a token are not the token', async (t) => {
  for (const token of ['lrt_AAAA', 'a.b.c', 'AAAAAAAA']) {
    const guesses = nearMissesOf(token)
    t.equal(new Set([token, ...guesses]).size, guesses.length + 1)
  }
})
