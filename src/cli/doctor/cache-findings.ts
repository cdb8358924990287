// What `lineage doctor --url` says of caches: that what may be kept may be kept as long as the service says,
// and that nothing else is.

import { randomUUID } from 'node:crypto'
import { guardDatabase } from '../../database/database.ts'
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
  const metadata = await scene.address.ask({
    path: '/.well-known/openid-configuration',
    headers: { 'accept-encoding': 'gzip, br' },
  })
  return [
    await examineJwks(scene),
    judgeAge(METADATA, metadata, METADATA_MAX_AGE_SECONDS) ??
      ok(METADATA, `${METADATA_MAX_AGE_SECONDS} s, as the service says`),
    ...(await examineTokens(scene, metadata)),
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

/** Refusals, which are answered as tokens are, and where a public client is known what it is answered. */
async function examineTokens(scene: AddressScene, documents: Answer): Promise<Finding[]> {
  const ask = (question: { path: string; form?: string }) =>
    scene.address.ask({
      ...question,
      headers: { 'x-request-id': randomUUID(), 'accept-encoding': 'gzip, br' },
    })
  const twice = async (question: { path: string; form?: string }) =>
    [question.path, [await ask(question), await ask(question)]] as const
  const client = await findPublicClient(scene)
  const all = [
    await twice({ path: '/token', form: 'doctor=1' }),
    await twice({ path: '/users/me' }),
    // A proxy may treat success otherwise. What is no token is revoked with success (RFC 7009 §2.2).
    ...(client === undefined
      ? []
      : [await twice({ path: '/revoke', form: `client_id=${client}&token=lineage-doctor` })]),
  ]
  const unmarked = all.filter(([, [{ headers }]]) => headers['cache-control'] !== 'no-store')
  // Every request has an id of its own, which comes back: twice the same one is one answer, kept.
  const kept = all.filter(
    ([, [one, other]]) => idOf(one) !== undefined && idOf(one) === idOf(other),
  )
  const packed = all.filter(([, [{ headers }]]) => headers['content-encoding'] !== undefined)
  return [judgeTokens(namesOf(unmarked), namesOf(kept)), judgePacking(namesOf(packed), documents)]
}

function judgeTokens(unmarked: string, kept: string): Finding {
  const advice =
    'let the proxy keep nothing but the JWKS and the metadata: a token is for one caller'
  if (kept !== '') return fail(TOKENS, `the proxy gives one answer twice: ${kept}`, advice)
  return unmarked === ''
    ? ok(TOKENS, 'no-store, and nothing is given twice')
    : fail(TOKENS, `no-store is gone or altered: ${unmarked}`, advice)
}

function judgePacking(packed: string, { headers }: Answer): Finding {
  const advice =
    'leave /token and /users/me out: the length of what is packed can tell what is in it'
  if (packed !== '') return warn(COMPRESSION, `the proxy packs ${packed}`, advice)
  // A proxy chooses by the type of the answer, mostly, and tokens are JSON as well.
  return headers['content-encoding'] === undefined
    ? ok(COMPRESSION, 'none of JSON')
    : warn(COMPRESSION, 'the proxy packs JSON, tokens perhaps among it', advice)
}

const namesOf = (some: readonly (readonly [path: string, ...unknown[]])[]) =>
  some.map(([path]) => path).join(', ')
const idOf = ({ headers }: Answer) => headers['x-request-id']

/** One that gets its tokens in the body. */
async function findPublicClient({ database }: AddressScene): Promise<string | undefined> {
  if (!database) return undefined
  const { rows } = await guardDatabase(() =>
    database.pool.query<{ id: string }>(
      `SELECT id FROM clients WHERE type = 'public' AND token_delivery = 'body' LIMIT 1`,
    ),
  )
  return rows[0] && encodeURIComponent(rows[0].id)
}
