// What `lineage doctor --url` says of headers: that the proxy passes on, in both directions, what tokens,
// proofs, cookies and traces need. Nobody is named, so no attempt counts against anybody.

import { randomBytes, randomUUID } from 'node:crypto'
import { type AddressScene, challengeError, isProblem, memberOfBody } from './address-scene.ts'
import { type MakeProof, NO_TOKEN } from './doctor-proof.ts'
import { type Finding, fail, ok, skip, warn } from './finding.ts'

const AUTHORIZATION = 'authorization header'
const DPOP = 'dpop headers'
const COOKIES = 'cookies'
const LARGE = 'large headers'
const TRACE = 'request ids'
const ERRORS = 'error answers'
/** A token with many scopes and a certificate's worth beside it; the service takes 16 KiB in all. */
const LARGE_LENGTH = 6_000

export async function examineHeaders(
  scene: AddressScene,
  prove: MakeProof,
  hasVerify: boolean,
): Promise<Finding[]> {
  return [
    ...(await examineAuthorization(scene)),
    await examineDpop(scene, prove),
    await examineCookies(scene, hasVerify),
    await examineLarge(scene),
    await examineTrace(scene),
  ]
}

/** The challenge names an error to whoever has brought a token, and to nobody else (RFC 6750 §3.1). */
async function examineAuthorization({ address }: AddressScene): Promise<Finding[]> {
  const path = '/users/me'
  const without = await address.ask({ path })
  const within = await address.ask({ path, headers: { authorization: `Bearer ${NO_TOKEN}` } })
  const errors = isProblem(without)
    ? ok(ERRORS, 'those of the service come through')
    : warn(
        ERRORS,
        `a ${without.status} of ${without.headers['content-type'] ?? 'no type'} in place of a problem document`,
        'let errors through (nginx: proxy_intercept_errors off): clients read why they were refused',
      )
  if (without.headers['www-authenticate'] === undefined) {
    const detail = `the proxy drops WWW-Authenticate (status ${without.status})`
    return [fail(AUTHORIZATION, detail, 'let it through: clients know by it what to do'), errors]
  }
  if (challengeError(without) !== undefined) {
    const advice = 'take it out: every caller would be somebody'
    return [fail(AUTHORIZATION, 'the proxy adds an Authorization of its own', advice), errors]
  }
  return [
    challengeError(within) === 'invalid_token'
      ? ok(AUTHORIZATION, 'passed on, and WWW-Authenticate comes back')
      : fail(AUTHORIZATION, 'the proxy drops Authorization', 'pass it on as it came'),
    errors,
  ]
}

async function examineDpop(
  { address, config, clock }: AddressScene,
  prove: MakeProof,
): Promise<Finding> {
  const { origin, pathname } = new URL(config.issuer)
  const base = pathname.replace(/\/$/, '')
  const url = `${origin}${base}/users/me`
  const proof = prove({ method: 'GET', url, atMs: clock(), hasToken: true })
  const headers = { authorization: `DPoP ${NO_TOKEN}`, dpop: proof }
  const error = challengeError(await address.ask({ path: '/users/me', headers }))
  if (error !== 'invalid_token' && error !== 'use_dpop_nonce') {
    const advice = 'pass DPoP on as it came, and the path of the request too'
    return fail(DPOP, `a good proof is not accepted (${error ?? 'no error named'})`, advice)
  }
  if (config.dpopNonce === 'off') return ok(DPOP, 'DPoP is passed on; no nonce is asked for')
  const answer = await address.ask({
    path: '/token',
    form: 'grant_type=client_credentials',
    headers: {
      dpop: prove({
        method: 'POST',
        url: `${config.issuer}/token`,
        atMs: clock(),
        hasToken: false,
      }),
    },
  })
  return memberOfBody(answer, 'error') === 'use_dpop_nonce' && answer.headers['dpop-nonce']
    ? ok(DPOP, 'DPoP is passed on, and DPoP-Nonce comes back')
    : fail(DPOP, 'the proxy drops DPoP-Nonce', 'let it through: no client gets a token without')
}

/** With `cookie=1` the service looks for an access cookie, and names an error where there is one. */
async function examineCookies(
  { address, config: { issuer } }: AddressScene,
  hasVerify: boolean,
): Promise<Finding> {
  if (!hasVerify) return skip(COOKIES, '/verify is not at this address')
  const prefix = issuer.startsWith('https:') ? '__Host-' : ''
  const cookie = `${prefix}lineage_access-doctor=${NO_TOKEN}`
  const answer = await address.ask({ path: '/verify?cookie=1', headers: { cookie } })
  return challengeError(answer) === 'invalid_token'
    ? ok(COOKIES, 'passed on')
    : warn(COOKIES, 'the proxy drops cookies', 'pass them on where clients keep tokens in cookies')
}

async function examineLarge({ address }: AddressScene): Promise<Finding> {
  const headers = { authorization: `Bearer ${'a'.repeat(LARGE_LENGTH)}` }
  const answer = await address.ask({ path: '/users/me', headers })
  if (answer.status === 401 && isProblem(answer)) {
    return ok(LARGE, `a token of ${LARGE_LENGTH} characters arrives`)
  }
  const advice = 'let the proxy take headers of 16 KiB, as the service does'
  return warn(LARGE, `a token of ${LARGE_LENGTH} characters is answered ${answer.status}`, advice)
}

async function examineTrace({ address }: AddressScene): Promise<Finding> {
  const id = randomUUID()
  const traceparent = `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-00`
  const sent = { 'x-request-id': id, traceparent }
  const { headers } = await address.ask({ path: '/users/me', headers: sent })
  const advice = 'pass both on, in both directions: by them a request is found again in all logs'
  const came = headers['x-request-id']
  if (came === undefined) return warn(TRACE, 'the proxy drops X-Request-Id', advice)
  const isTraced = (headers.traceparent ?? '').slice(3, 35) === traceparent.slice(3, 35)
  const whose = came === id ? "the caller's comes back" : 'the proxy sets one of its own'
  return isTraced
    ? ok(TRACE, `${whose}; traceparent comes back`)
    : warn(TRACE, `${whose}; traceparent is dropped or made anew`, advice)
}
