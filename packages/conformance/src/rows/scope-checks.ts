// C14 and C15: what a scope in a request means, and what the lack of one does (RFC 6749 §3.3).

import { needsUser } from '../check-needs.ts'
import { expect } from '../conformance-check.ts'
import { expectError, expectSuccess, hasSameScope, scopeWords } from '../expect-answer.ts'
import { needsClientToken } from '../issued-tokens.ts'
import { describeAnswer, type TestedService } from '../tested-service.ts'
import { findClientScopes } from '../token-claims.ts'

const FORBIDDEN = ['"', '\\', '\t', '\u007f', 'ü', '\u0000']

export async function checkScopeSyntax(service: TestedService): Promise<void> {
  const words = await findClientScopes(service)
  const [first = ''] = words
  const ask = (scope: string) =>
    service.post(
      'token',
      { grant_type: 'client_credentials', scope },
      service.credentials.confidentialClient,
    )
  const all = await ask(words.join(' '))
  expectSuccess(all, 'a request for the scopes that were granted')
  const reversed = await ask(words.toReversed().join(' '))
  expectSuccess(reversed, 'the same scopes in another order')
  expect(hasSameScope(reversed.json.scope, all.json.scope), 'the order of the words matters')
  const doubled = await ask(`${first} ${first}`)
  expectSuccess(doubled, 'a scope that is there twice')
  const once = scopeWords(doubled.json.scope)
  expect(new Set(once).size === once.length, 'a scope that is there twice was granted twice')
  const changed = swapCase(first)
  if (changed !== first) {
    const answer = await ask(changed)
    if (answer.status !== 200) expectError(answer, 'invalid_scope', 'a scope in another case')
    const granted = scopeWords(answer.json.scope)
    expect(!granted.includes(first), 'a scope in another case counts as the same')
  }
  for (const character of FORBIDDEN) {
    const answer = await ask(`${first} x${character}x`)
    const code = `U+${character.charCodeAt(0).toString(16).padStart(4, '0')}`
    expectError(answer, 'invalid_scope', `a scope with ${code}`)
  }
}

/** The default is a scope that can be asked for as well, and a refresh gives what the login gave. */
export async function checkDefaultScope(service: TestedService): Promise<void> {
  if (needsClientToken(service) === undefined) {
    const client = service.credentials.confidentialClient
    const grant = { grant_type: 'client_credentials' }
    const { status, json } = await service.post('token', grant, client)
    if (status === 400 && json.error === 'invalid_scope') return
    const scope = scopeWords(json.scope).join(' ')
    if (scope !== '') {
      const asked = await service.post('token', { ...grant, scope }, client)
      expectSuccess(asked, 'a request for the default scope')
      expect(
        hasSameScope(asked.json.scope, scope),
        'the default is wider than what may be asked for',
      )
    }
  }
  if (needsUser(service) !== undefined) return
  const tokens = await service.logIn()
  const before = scopeWords(tokens.answer.json.scope)
  const refreshed = await service.refresh(tokens)
  expect(refreshed.status === 200, `a refresh gave ${describeAnswer(refreshed)}`)
  const after = scopeWords(refreshed.json.scope ?? tokens.answer.json.scope)
  expect(
    after.every((word) => before.includes(word)),
    'a refresh without scope is wider than its login',
  )
}

function swapCase(text: string): string {
  const upper = text.toUpperCase()
  return upper === text ? text.toLowerCase() : upper
}
