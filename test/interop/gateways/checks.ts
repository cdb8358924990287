// Who passes a gateway and as whom, and who is refused and how.

import type { Test } from 'tap'
import type { Scene } from '../../scenes/gateway-scene.ts'
import type { Gateway } from './gateway-process.ts'
import {
  bearer,
  type Headers,
  type RawAnswer,
  type RawRequest,
  send,
  sendBytes,
} from './raw-request.ts'
import type { Received } from './recorded-server.ts'
import { briefToken, outlive, readClaims, type Tokens } from './tokens.ts'

export interface Subject {
  readonly gateway: Gateway
  readonly scene: Scene
  readonly tokens: Tokens
  /** A path with a slash at its end, below which `scopeless` among the tokens lacks the scope. */
  readonly path: string
  /** How a token is shown. */
  readonly present: (token: string) => Headers
}

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']

/** The notes demand `notes:read`, which is what the tokens have. */
export function bearerSubject(gateway: Gateway, scene: Scene, tokens: Tokens): Subject {
  return { gateway, scene, tokens, path: '/notes/', present: bearer }
}

export interface Asked {
  readonly answer: RawAnswer
  /** What the upstream got of it, if it got anything. */
  readonly arrived: Received | undefined
}

/** Requests go one after another, so what the upstream got since is this one. */
export async function ask(subject: Subject, raw: RawRequest): Promise<Asked> {
  return await observe(subject, () => send(subject.gateway.port, raw))
}

/** As `ask`, for what is no request as a client of HTTP would write it. */
export async function askBytes(subject: Subject, bytes: string): Promise<Asked> {
  return await observe(subject, () => sendBytes(subject.gateway.port, bytes))
}

async function observe({ scene }: Subject, act: () => Promise<RawAnswer>): Promise<Asked> {
  const { received } = scene.upstream
  const before = received.length
  const answer = await act()
  return { answer, arrived: received.length > before ? received.at(-1) : undefined }
}

/** Every header of the upstream's that might be taken for one of ours, in whatever spelling. */
export function identityIn(received: Received | undefined): Headers {
  return (received?.headers ?? [])
    .filter(([name]) => /^x[^a-z0-9]auth/.test(name))
    .toSorted(([one], [other]) => one.localeCompare(other))
}

export function identityOf(token: string): Headers {
  const { sub, sid, client_id: client, scope, roles, act } = readClaims(token)
  const said = Array.isArray(roles) && roles.length > 0 ? roles.join(' ') : '-'
  return [
    ['x-auth-actor', act?.sub ?? '-'],
    ['x-auth-client', client],
    ['x-auth-roles', said],
    ['x-auth-scope', typeof scope === 'string' ? scope : '-'],
    ['x-auth-session', sid ?? '-'],
    ['x-auth-subject', sub],
    ['x-auth-subject-type', sid === undefined ? 'client' : 'user'],
  ]
}

export async function checkIdentity(t: Test, subject: Subject, token: string): Promise<void> {
  const { path, present } = subject
  for (const method of METHODS) {
    const { answer, arrived } = await ask(subject, {
      method,
      path: `${path}1?of=it`,
      headers: present(token),
    })
    t.equal(answer.status, 200, method)
    t.match(arrived, { method, url: `${path}1?of=it` })
    t.strictSame(identityIn(arrived), identityOf(token), method)
  }
}

/** Which challenge each status comes with (RFC 6750 §3). */
export function checkRefusal(t: Test, asked: Asked, status: number, challenge: RegExp): void {
  const { answer, arrived } = asked
  t.equal(answer.status, status)
  const challenges = answer.all('www-authenticate')
  t.equal(challenges.length, 1, `one challenge: ${challenges.join(' | ')}`)
  t.match(challenges[0], challenge)
  t.equal(arrived, undefined, 'the upstream has seen nothing of it')
  t.notMatch(answer.body, 'from upstream')
}

export interface Challenges {
  readonly none: RegExp
  readonly invalidToken: RegExp
  readonly insufficientScope: RegExp
  /** What the gateway cannot tell from a scope that is missing, by the names of the bad tokens. */
  readonly forbidden?: readonly string[]
}

export const RFC_6750: Challenges = {
  none: /^Bearer(?!.*error)/,
  invalidToken: /^Bearer.*error="invalid_token"/,
  insufficientScope: /^Bearer.*error="insufficient_scope"/,
}

export async function checkRefusals(
  t: Test,
  subject: Subject,
  challenges: Challenges = RFC_6750,
): Promise<void> {
  const { path, present, tokens } = subject
  for (const [what, token] of Object.entries(tokens.bad)) {
    const isForbidden = challenges.forbidden?.includes(what) ?? false
    await t.test(`${what} is refused with ${isForbidden ? 403 : 401}`, async (t) => {
      const asked = await ask(subject, { path: `${path}1`, headers: present(token) })
      if (isForbidden) checkRefusal(t, asked, 403, challenges.insufficientScope)
      else checkRefusal(t, asked, 401, challenges.invalidToken)
    })
  }
  await t.test('no token is refused with 401, whatever the method', async (t) => {
    for (const method of METHODS) {
      checkRefusal(t, await ask(subject, { method, path: `${path}1` }), 401, challenges.none)
    }
  })
  await t.test('a scope too few is refused with 403', async (t) => {
    const scopeless = present(tokens.scopeless)
    const asked = await ask(subject, { path: `${path}1`, headers: scopeless })
    checkRefusal(t, asked, 403, challenges.insufficientScope)
  })
}

/** A token that was let in before its `exp` is none after it, whatever the gateway remembers. */
export async function checkExpiry(t: Test, subject: Subject): Promise<void> {
  const token = await briefToken(subject.scene)
  const shown = { path: `${subject.path}1`, headers: subject.present(token) }
  t.equal((await ask(subject, shown)).answer.status, 200)
  await outlive(token)
  checkRefusal(t, await ask(subject, shown), 401, RFC_6750.invalidToken)
}

/** What only the Authorization header can get wrong. */
export async function checkBearerSyntax(t: Test, subject: Subject): Promise<void> {
  const token = subject.tokens.user.access_token
  const refused: Readonly<Record<string, { headers?: Headers; path?: string }>> = {
    'another scheme': { headers: [['Authorization', `Basic ${btoa('ada:secret')}`]] },
    'no scheme': { headers: [['Authorization', token]] },
    'two tokens': { headers: [...bearer(token), ...bearer(subject.tokens.client)] },
    'a good token before a bad one': { headers: [...bearer(token), ...bearer('bad')] },
    'a bad token before a good one': { headers: [...bearer('bad'), ...bearer(token)] },
    'two tokens in one header': { headers: bearer(`${token}, Bearer bad`) },
    'two tokens after one scheme': { headers: bearer(`${token},bad`) },
    'an empty header before a good one': { headers: [['Authorization', ''], ...bearer(token)] },
    'an empty header after a good one': { headers: [...bearer(token), ['Authorization', '']] },
    'the token in the query': { path: `/notes/1?access_token=${token}` },
    'the token in a cookie': { headers: [['Cookie', `lineage_access-app=${token}`]] },
  }
  for (const [what, { headers = [], path = '/notes/1' }] of Object.entries(refused)) {
    const { answer, arrived } = await ask(subject, { path, headers })
    t.ok([400, 401].includes(answer.status), `${what}: ${answer.status}`)
    t.equal(arrived, undefined, what)
  }
  const lowerCase = await ask(subject, {
    path: '/notes/1',
    headers: [['authorization', `bearer ${token}`]],
  })
  t.equal(lowerCase.answer.status, 200, 'the scheme is case-insensitive (RFC 9110 §11.1)')
  const elsewhere = await ask(subject, { path: '/drafts/1', headers: bearer(token) })
  t.equal(elsewhere.answer.status, 403, 'another path has its own demand')
}
