// How answers of the introspection endpoint travel: what caches may do with them (C96), and signed
// (C97, RFC 9701).

import { maxAgeOf, mediaTypeOf } from '../answer-headers.ts'
import { expect, NotApplicable } from '../conformance-check.ts'
import { issueActiveTokens } from '../introspected-tokens.ts'
import { audiencesOf, readJwt } from '../issued-tokens.ts'
import type { TestedService } from '../tested-service.ts'

const SIGNED = 'application/token-introspection+jwt'
/** How long a resource may go on taking a token that was revoked. */
const MAX_AGE_SECONDS_MAX = 60
const CLOCK_SKEW_SECONDS = 60

export async function checkCaching(service: TestedService): Promise<void> {
  for (const { token, client } of await issueActiveTokens(service)) {
    const answer = await service.introspect(token, client)
    const cacheControl = answer.headers['cache-control'] ?? ''
    const maxAge = maxAgeOf(answer)
    const isShort = maxAge !== undefined && maxAge <= MAX_AGE_SECONDS_MAX
    expect(
      isShort || /\bno-(store|cache)\b/i.test(cacheControl),
      `an answer has the Cache-Control ${cacheControl || 'of nothing'}`,
    )
  }
}

export async function checkSignedAnswer(service: TestedService): Promise<void> {
  const [first] = await issueActiveTokens(service)
  if (!first) return
  const { token, client } = first
  const headers = [['Accept', SIGNED]] as const
  const answer = await service.post('introspection', { token }, client, headers)
  const { text } = answer
  const mediaType = mediaTypeOf(answer)
  expect(mediaType === SIGNED, `the answer is ${mediaType || 'of no type'}, not ${SIGNED}`)
  if (text.split('.').length === 5) throw new NotApplicable('the answer is encrypted')
  const jwt = readJwt(text)
  expect(jwt, 'the answer is no JWT')
  const { header, claims } = jwt
  if (/^HS/.test(String(header.alg))) throw new NotApplicable('the answer is signed by the secret')
  const typ = String(header.typ)
    .toLowerCase()
    .replace(/^application\//, '')
  expect(typ === 'token-introspection+jwt', `the answer has the typ ${typ}`)
  await service.verify(text)
  expect(claims.iss === service.issuer, `the answer has the iss ${String(claims.iss)}`)
  const isForCaller = audiencesOf(claims.aud).includes(client.id)
  expect(isForCaller, `the answer has the aud ${String(claims.aud)}, not the caller`)
  const isNow = Math.abs(Number(claims.iat) - Date.now() / 1000) < CLOCK_SKEW_SECONDS
  expect(isNow, `the answer has the iat ${String(claims.iat)}`)
  const nested = claims.token_introspection
  const isNested = typeof nested === 'object' && nested !== null && 'active' in nested
  expect(isNested && nested.active === true, 'token_introspection does not say active')
}
