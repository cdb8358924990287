// C43: passwords that a careless hash cuts short. Each is the right one with something to it that
// some hash does not see.

import { expect } from '../conformance-check.ts'
import { expectSuccess } from '../expect-answer.ts'
import { settle } from '../form-request.ts'
import { describeAnswer, type TestedService } from '../tested-service.ts'

/** bcrypt reads no further. */
const BCRYPT_BYTES = 72
const LONG_CHARACTERS = 4_000

export async function checkOddPasswords(service: TestedService): Promise<void> {
  const { client } = await service.logIn()
  const { username = '', password = '' } = service.credentials.user ?? {}
  const attempt = (text: string) =>
    settle(service.post('token', { grant_type: 'password', username, password: text }, client))
  for (const [what, text] of listOddPasswords(password)) {
    const answer = await attempt(text)
    const isRefused = answer === undefined || (answer.status >= 400 && answer.status < 500)
    expect(isRefused, `${what} was answered with ${answer ? describeAnswer(answer) : ''}`)
  }
  const right = await attempt(password)
  expect(right, 'the right password got no answer after all of them')
  expectSuccess(right, 'the right password after all of them')
}

function listOddPasswords(password: string): readonly (readonly [what: string, text: string])[] {
  const odd: [string, string][] = [
    ['the password with a NUL and more', `${password}\u0000conformance`],
    ['the password with one more character', `${password}x`],
    ['4,000 characters after the password', password + 'x'.repeat(LONG_CHARACTERS)],
    ['2,000 umlauts', 'ü'.repeat(LONG_CHARACTERS / 2)],
  ]
  const start = startOf(password)
  if (start !== password) {
    odd.push(['the beginning of the password, over 72 bytes', start])
    odd.push(['the password with another end after 72 bytes', `${start}conformance`])
  }
  const plain = password.replaceAll(/[^ -~]/g, '?')
  if (plain !== password) odd.push(['the password with `?` for all that is not ASCII', plain])
  const upper = password.toUpperCase()
  if (upper !== password) odd.push(['the password in capitals', upper])
  return odd
}

/** The fewest whole characters that hold 72 bytes or more. */
function startOf(password: string): string {
  let start = ''
  for (const character of password) {
    if (Buffer.byteLength(start) >= BCRYPT_BYTES) break
    start += character
  }
  return start
}
