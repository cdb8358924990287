// C54 and C57: refresh tokens that were changed, and how much of one would have to be guessed.

import { expect } from '../conformance-check.ts'
import { expectError, expectSuccess } from '../expect-answer.ts'
import type { TestedService } from '../tested-service.ts'

const POSITIONS_MAX = 128
const AT_ONCE = 8
const LOGINS = 16
const BITS_MIN = 128
/** Sixteen samples only estimate the entropy: this many bits below 128 still pass. */
const BITS_TOLERANCE = 16
const BITS_A_CHARACTER_MAX = 6

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

export async function checkTampering(service: TestedService): Promise<void> {
  const tokens = await service.logIn()
  const { refreshToken: token } = tokens
  const step = Math.max(1, Math.ceil(token.length / POSITIONS_MAX))
  const changed = Array.from({ length: Math.ceil(token.length / step) }, (_, index) =>
    changeAt(token, Math.min(index * step, token.length - 1)),
  )
  const others = [token.slice(0, -1), token.slice(1), `${token}A`, `A${token}`, token.toUpperCase()]
  const all = [...changed, ...others].filter((one) => one !== token)
  for (let n = 0; n < all.length; n += AT_ONCE) {
    const answers = await Promise.all(
      all.slice(n, n + AT_ONCE).map((refreshToken) => service.refresh({ ...tokens, refreshToken })),
    )
    for (const answer of answers) expectError(answer, 'invalid_grant', 'a changed refresh token')
  }
  // Of another login: a token that came under attack may be dead for a good reason.
  expectSuccess(await service.refresh(await service.logIn()), 'a token that nobody changed')
}

/**
 * Flips the highest of the six bits, because the lowest ones of the last character may be padding
 * that a decoder ignores.
 */
function changeAt(token: string, position: number): string {
  const index = BASE64URL.indexOf(token[position] ?? '')
  const other = index < 0 ? 'A' : (BASE64URL[index ^ 32] ?? 'A')
  return token.slice(0, position) + other + token.slice(position + 1)
}

export async function checkEntropy(service: TestedService): Promise<void> {
  const tokens: string[] = []
  for (let n = 0; n < LOGINS; n += 1) tokens.push((await service.logIn()).refreshToken)
  expect(new Set(tokens).size === tokens.length, 'two logins gave the same refresh token')
  const bits = Math.floor(estimateBits(tokens))
  expect(bits >= BITS_MIN - BITS_TOLERANCE, `refresh tokens differ by about ${bits} bits, not 128`)
}

/** From how often two tokens agree in a place: the collision entropy, place by place. */
function estimateBits(tokens: readonly string[]): number {
  const pairs = (tokens.length * (tokens.length - 1)) / 2
  const length = Math.min(...tokens.map((token) => token.length))
  let bits = 0
  for (let position = 0; position < length; position += 1) {
    const counts = new Map<string, number>()
    for (const token of tokens) {
      const character = token[position] ?? ''
      counts.set(character, (counts.get(character) ?? 0) + 1)
    }
    const equal = [...counts.values()].reduce((sum, count) => sum + (count * (count - 1)) / 2, 0)
    bits += Math.min(BITS_A_CHARACTER_MAX, -Math.log2(Math.max(equal, 1) / pairs))
  }
  return bits
}
