// C10 to C16: what stands in the answer to a token request that succeeded.

import { setTimeout as delay } from 'node:timers/promises'
import { needsUser } from '../check-needs.ts'
import { type Check, expect } from '../conformance-check.ts'
import { hasSameScope } from '../expect-answer.ts'
import type { Answer } from '../http-exchange.ts'
import { needsAnyToken, needsClientToken, readJwt } from '../issued-tokens.ts'
import { type Parameters, type TestedService, textOf } from '../tested-service.ts'
import { readClaims } from '../token-claims.ts'
import { checkDefaultScope, checkScopeSyntax } from './scope-checks.ts'

/** Long enough for a stale `expires_in` to stand out. */
const REPLAY_AFTER_MS = 3_000
const SKEW_SECONDS_MAX = 1

export const ANSWER_ROWS: readonly Check[] = [
  {
    row: 'C10',
    level: 'MUST',
    sentence: 'A token answer is 200 and JSON, with access_token and token_type at its top.',
    needs: [needsAnyToken],
    async run(service) {
      for await (const [what, { status, headers, json }] of collectAnswers(service)) {
        expect(status === 200, `the answer to ${what} has the status ${status}`)
        const type = headers['content-type'] ?? ''
        const isJson = /^application\/json\s*(;|$)/i.test(type)
        expect(isJson, `the answer to ${what} is not application/json`)
        expect(textOf(json.access_token), `the answer to ${what} has no access_token`)
        expect(textOf(json.token_type), `the answer to ${what} has no token_type`)
      }
    },
  },
  {
    row: 'C11',
    level: 'MUST',
    sentence: 'No cache keeps a token answer (no-store and no-cache), and none keeps an error.',
    needs: [needsAnyToken],
    run: checkCaching,
  },
  {
    row: 'C12',
    level: 'SHOULD',
    sentence:
      'expires_in is in whole seconds and what is left of the token, also in a repeated answer.',
    needs: [needsAnyToken],
    run: checkLifetimes,
  },
  {
    row: 'C13',
    level: 'MUST',
    sentence: 'The answer names the scope whenever it is not the one that was asked for.',
    needs: [needsAnyToken],
    run: checkScopeNamed,
  },
  {
    row: 'C14',
    level: 'MUST',
    sentence:
      'A scope is a set of case-sensitive words; characters outside of its syntax are refused.',
    needs: [needsClientToken],
    run: checkScopeSyntax,
  },
  {
    row: 'C15',
    level: 'MUST',
    sentence: 'Without a scope in the request the grant is a default or refused, and never wider.',
    needs: [needsAnyToken],
    run: checkDefaultScope,
  },
  {
    row: 'C16',
    level: 'MUST',
    sentence: 'token_type is Bearer, or DPoP for a bound token.',
    needs: [needsAnyToken],
    async run(service) {
      for await (const [what, { json }] of collectAnswers(service)) {
        const type = textOf(json.token_type)?.toLowerCase()
        expect(type === 'bearer' || type === 'dpop', `token_type of ${what} is neither`)
        // What is bound can be seen in a JWT; C101 looks at the rest.
        const { cnf } = readJwt(textOf(json.access_token) ?? '')?.claims ?? {}
        const isBound = typeof cnf === 'object' && cnf !== null && 'jkt' in cnf
        expect(type === 'dpop' || !isBound, `${what} gave a bound token that is called Bearer`)
      }
    },
  },
]

/** A fresh answer of each kind that can be had, one at a time: the first bad one is what counts. */
async function* collectAnswers(
  service: TestedService,
  parameters: Parameters = {},
): AsyncGenerator<readonly [what: string, answer: Answer]> {
  if (needsClientToken(service) === undefined) {
    yield ['client_credentials', await service.issueToClient(parameters)]
  }
  if (needsUser(service) === undefined) {
    const tokens = await service.logIn(undefined, parameters)
    yield ['a login', tokens.answer]
    yield ['a refresh', await service.refresh(tokens)]
  }
}

async function checkCaching(service: TestedService): Promise<void> {
  for await (const [what, { headers }] of collectAnswers(service)) {
    const isNotStored = hasDirective(headers['cache-control'], 'no-store')
    expect(isNotStored, `the answer to ${what} lacks Cache-Control: no-store`)
    expect(hasDirective(headers.pragma, 'no-cache'), `the answer to ${what} lacks Pragma: no-cache`)
  }
  const { confidentialClient: client } = service.credentials
  const wrong = { id: client?.id ?? 'conformance', secret: 'conformance' }
  const errors = [
    ['an unknown grant type', { grant_type: 'conformance' }, client],
    ['a wrong client secret', { grant_type: 'client_credentials' }, wrong],
    ['a bad refresh token', { grant_type: 'refresh_token', refresh_token: 'x' }, client],
  ] as const
  for (const [what, parameters, sender] of errors) {
    const { headers } = await service.post('token', parameters, sender)
    const isNotStored = hasDirective(headers['cache-control'], 'no-store')
    expect(isNotStored, `the error for ${what} lacks Cache-Control: no-store`)
  }
}

function hasDirective(header: string | undefined, directive: string): boolean {
  return (header ?? '')
    .toLowerCase()
    .split(/\s*,\s*/)
    .includes(directive)
}

async function checkLifetimes(service: TestedService): Promise<void> {
  for await (const [what, answer] of collectAnswers(service)) {
    await checkLifetime(service, what, answer)
  }
  if (needsUser(service) !== undefined) return
  const tokens = await service.logIn()
  await service.refresh(tokens)
  await delay(REPLAY_AFTER_MS)
  const repeated = await service.refresh(tokens)
  // Whether a repetition is answered at all is C60's business.
  if (repeated.status === 200) await checkLifetime(service, 'a repeated refresh', repeated)
}

async function checkLifetime(
  service: TestedService,
  what: string,
  { json, headers }: Answer,
): Promise<void> {
  const seconds = json.expires_in
  const isWhole = typeof seconds === 'number' && Number.isInteger(seconds) && seconds > 0
  expect(isWhole, `expires_in of ${what} is no whole number of seconds`)
  const { exp } = await readClaims(service, textOf(json.access_token) ?? '')
  expect(typeof exp === 'number', `the token of ${what} has no exp`)
  // The service's own clock, where it tells it: ours may differ.
  const nowMs = headers.date === undefined ? Date.now() : Date.parse(headers.date)
  const leftSeconds = exp - Math.floor(nowMs / 1000)
  const isTrue = Math.abs(leftSeconds - seconds) <= SKEW_SECONDS_MAX
  expect(isTrue, `expires_in of ${what} is ${seconds}, but exp is ${leftSeconds} s away`)
}

async function checkScopeNamed(service: TestedService): Promise<void> {
  const { scope, wideScope } = service.credentials
  for (const asked of new Set([undefined, scope, wideScope])) {
    for await (const [what, { json }] of collectAnswers(service, { scope: asked })) {
      const claims = await readClaims(service, textOf(json.access_token) ?? '')
      const granted = claims.scope ?? json.scope ?? ''
      const isNamed = json.scope !== undefined || hasSameScope(granted, asked)
      expect(isNamed, `the answer to ${what} names no scope, and another one was granted`)
      const isTrue = json.scope === undefined || hasSameScope(json.scope, granted)
      expect(isTrue, `the answer to ${what} names another scope than the token has`)
    }
  }
}
