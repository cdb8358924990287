// What stops people who guess: a bound on different wrong secrets for one name, and one on how many
// requests are judged at the same time.

import { createHash } from 'node:crypto'
import type { State } from './state.ts'
import { type Has, Refusal } from './wire.ts'

/** More than any check needs that does not mean to flood, for one name within the window. */
const GUESSES_MAX = 60
const WINDOW_MS = 10_000
const AT_ONCE_MAX = 8

/** Wrong secrets and when they last came, by the name that they were for. */
export type Guesses = Map<string, Map<string, number>>

export function isThrottled({ guesses }: State, name: string): boolean {
  const recent = [...(guesses.get(name)?.values() ?? [])].filter(
    (atMs) => Date.now() - atMs < WINDOW_MS,
  )
  return recent.length >= GUESSES_MAX
}

/** The same wrong secret again is no new guess, but somebody's old configuration. */
export function countGuess({ guesses }: State, name: string, secret: string): void {
  const known = guesses.get(name) ?? new Map<string, number>()
  guesses.set(name, known)
  known.set(createHash('sha256').update(secret).digest('base64url'), Date.now())
}

export function throttled(has: Has): Refusal {
  const headers = has('retry-after-missing') ? {} : { 'Retry-After': '5' }
  return new Refusal('temporarily_unavailable', 'too much at once', 429, headers)
}

/** Throws 429 where too many are at it already. */
export async function withLimit<T>(state: State, work: () => Promise<T>): Promise<T> {
  if (state.atWork >= AT_ONCE_MAX) throw throttled(state.has)
  state.atWork += 1
  try {
    return await work()
  } finally {
    state.atWork -= 1
  }
}
