// What `lineage doctor --url` says of caches: that what may be kept may be kept as long as the service says,
// and that nothing else is.

import { randomUUID } from 'node:crypto'
import type { AddressScene } from './address-scene.ts'
import type { Answer } from './ask-address.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const JWKS = 'cache of the jwks'
const METADATA = 'cache of the metadata'
const TOKENS = 'cache of tokens'
const COMPRESSION = 'compression'
/** As src/http/oauth/metadata-route.ts has it. */
const METADATA_MAX_AGE_SECONDS = 60

export async function examineCaches(scene: AddressScene): Promise<Finding[]> {
  const metadata = await scene.address.ask({ path: '/.well-known/openid-configuration' })
  return [
    await examineJwks(scene),
    judgeAge(METADATA, metadata, METADATA_MAX_AGE_SECONDS) ??
      ok(METADATA, `${METADATA_MAX_AGE_SECONDS} s, as the service says`),
    ...(await examineTokens(scene)),
  ]
}

async function examineJwks({ address, config }: AddressScene): Promise<Finding> {
  const path = '/.well-known/jwks.json'
  const first = await address.ask({ path })
  const wrong = judgeAge(JWKS, first, config.jwksMaxAgeSeconds)
  if (wrong) return wrong
  const { etag } = first.headers
  if (etag === undefined) {
    const advice = 'let it through: without it every verifier loads the whole set each time'
    return warn(JWKS, 'the proxy drops ETag', advice)
  }
  const second = await address.ask({ path, headers: { 'if-none-match': etag } })
  return second.status === 304
    ? ok(JWKS, `${config.jwksMaxAgeSeconds} s, as the service says; 304 for who has it`)
    : warn(JWKS, `If-None-Match is answered with ${second.status}`, 'let it through to the service')
}

/** What is wrong with how long an answer may be kept; undefined if nothing is. */
function judgeAge(check: string, { headers }: Answer, maxAge: number): Finding | undefined {
  const control = headers['cache-control']
  const expected = `public, max-age=${maxAge}`
  const advice =
    'leave Cache-Control and Expires alone: a longer one keeps a leaked key, a shorter one costs'
  if (control !== expected) {
    return warn(check, `Cache-Control is "${control ?? ''}", not "${expected}"`, advice)
  }
  const age = Number(headers.age ?? 0)
  return age > maxAge
    ? warn(check, `the proxy gives a copy of ${age} s`, 'let its cache obey Cache-Control')
    : undefined
}

/** Refusals, which are answered as tokens are. */
async function examineTokens({ address }: AddressScene): Promise<Finding[]> {
  const ask = (question: { path: string; form?: string }) =>
    address.ask({
      ...question,
      headers: { 'x-request-id': randomUUID(), 'accept-encoding': 'gzip, br' },
    })
  const answers: Record<string, readonly [Answer, Answer]> = {
    '/token': [
      await ask({ path: '/token', form: 'doctor=1' }),
      await ask({ path: '/token', form: 'doctor=1' }),
    ],
    '/users/me': [await ask({ path: '/users/me' }), await ask({ path: '/users/me' })],
  }
  const all = Object.entries(answers)
  const unmarked = all.filter(([, [{ headers }]]) => headers['cache-control'] !== 'no-store')
  // Every request has an id of its own, which comes back: twice the same one is one answer, kept.
  const kept = all.filter(
    ([, [one, other]]) =>
      one.headers['x-request-id'] !== undefined &&
      one.headers['x-request-id'] === other.headers['x-request-id'],
  )
  const packed = all.filter(([, [{ headers }]]) => headers['content-encoding'] !== undefined)
  const names = (some: typeof all) => some.map(([path]) => path).join(', ')
  const never =
    'tokens must never be kept: let the proxy cache nothing but the JWKS and the metadata'
  const caching =
    kept.length > 0
      ? fail(TOKENS, `the proxy gives one answer twice: ${names(kept)}`, never)
      : unmarked.length > 0
        ? fail(TOKENS, `no-store is gone or altered: ${names(unmarked)}`, never)
        : ok(TOKENS, 'no-store, and nothing is given twice')
  const advice = 'leave it out there: the length of what is packed can tell what is in it'
  return [
    caching,
    packed.length > 0
      ? warn(COMPRESSION, `the proxy packs ${names(packed)}`, advice)
      : ok(COMPRESSION, 'none where tokens are'),
  ]
}
