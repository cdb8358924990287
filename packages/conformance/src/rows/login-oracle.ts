// C23: refusals of a login that differ in nothing tell nobody who has an account.

import { expect } from '../conformance-check.ts'
import type { TestedUser } from '../credentials.ts'
import { expectError } from '../expect-answer.ts'
import type { Answer } from '../http-exchange.ts'
import type { TestedService } from '../tested-service.ts'

export async function checkLoginOracle(service: TestedService): Promise<void> {
  const { user, disabledUser } = service.credentials
  const { client } = await service.logIn()
  const attempt = async ({ username, password }: TestedUser) => {
    const login = { grant_type: 'password', username, password }
    const answer = await service.post('token', login, client)
    expectError(answer, 'invalid_grant', 'a bad login')
    return answer
  }
  const wrong = { username: user?.username ?? '', password: 'conformance' }
  const first = await attempt(wrong)
  const stable = findStableHeaders(first, await attempt(wrong))
  const others = [
    ['an unknown user', { ...wrong, username: 'conformance-nobody' }],
    ['an unknown email', { ...wrong, username: 'nobody@conformance.example' }],
    ...(disabledUser ? ([['a disabled user', disabledUser]] as const) : []),
  ] as const
  for (const [what, login] of others) {
    const answer = await attempt(login)
    const whose = `the answers for ${what} and for a wrong password`
    expect(answer.status === first.status, `${whose} differ in status`)
    expect(answer.text === first.text, `${whose} differ in their bodies`)
    for (const name of stable) {
      const isSame = String(answer.headers[name]) === String(first.headers[name])
      expect(isSame, `${whose} differ in ${name}`)
    }
    const added = Object.keys(answer.headers).filter((name) => !(name in first.headers))
    expect(added.length === 0, `${whose} differ in their headers`)
  }
}

/** Those that did not change between two answers to the same request: dates and ids do. */
function findStableHeaders(one: Answer, other: Answer): string[] {
  return Object.keys(one.headers).filter(
    (name) => name !== 'date' && String(one.headers[name]) === String(other.headers[name]),
  )
}
