// What came of the calls that run while a dependency is disturbed.

import type { Test } from 'tap'
import { until } from '../support/until.ts'

export interface Tally {
  /** How often each status was the answer to each kind of call, such as `200 login`. */
  readonly counts: Map<string, number>
  note(kind: string, answering: Promise<Response>): Promise<Record<string, string>>
  /** Resolves when so many more answers of the kind have come; of any kind without one. */
  more(count: number, kind?: string): Promise<unknown>
}

/** Fails the test at any other status than these. */
export function openTally(t: Test, allowed: readonly number[]): Tally {
  const counts = new Map<string, number>()
  const count = (kind?: string) =>
    kind ? (counts.get(kind) ?? 0) : [...counts.values()].reduce((sum, n) => sum + n, 0)
  return {
    counts,
    async note(kind, answering) {
      const answer = await answering
      const body = await answer.text()
      const key = `${answer.status} ${kind}`
      counts.set(key, count(key) + 1)
      if (!allowed.includes(answer.status)) t.fail(`${key}: ${body}`)
      return answer.ok && body.startsWith('{') ? JSON.parse(body) : {}
    },
    async more(wanted, kind) {
      const goal = count(kind) + wanted
      await until(`more of ${kind ?? 'all'}`, () => count(kind) >= goal)
    },
  }
}
