// Calls that run while a dependency is disturbed, and what came of them.

import type { Test } from 'tap'
import type { TestApp } from '../support/app.ts'
import { until } from '../support/until.ts'

export interface Tally {
  /** How often each status was the answer to each kind of call, such as `200 login`. */
  readonly counts: Map<string, number>
  note(kind: string, answering: Promise<Response>): Promise<Record<string, string>>
  /** Resolves when so many more answers of the kind have come; of any kind without one. */
  more(count: number, kind?: string): Promise<unknown>
}

export interface Storm {
  readonly app: TestApp
  readonly users: number
  /** One user, whose calls follow each other until the storm is over. */
  live(clientId: string, tally: Tally, isOver: () => boolean): Promise<void>
  /** What happens, step by step; answers are waited for in between. */
  readonly disturbances: readonly (readonly (() => Promise<unknown>)[])[]
  readonly allowed: readonly number[]
  /** The kinds of call that must have met the storm, and have worked too. */
  readonly met: readonly string[]
}

/** Lets users live through it, one disturbance after the other has been survived. */
export async function runStorm(t: Test, storm: Storm): Promise<void> {
  const { app, met } = storm
  const { id } = await app.makeClient({})
  const tally = openTally(t, storm.allowed)
  let isOver = false
  const living = Array.from({ length: storm.users }, () => storm.live(id, tally, () => isOver))
  for (const steps of storm.disturbances) {
    await tally.more(1, '200 login')
    for (const step of steps) {
      await step()
      await tally.more(24)
    }
  }
  await tally.more(1, '200 login')
  isOver = true
  await Promise.all(living)
  for (const kind of met) {
    t.ok(tally.counts.has(`503 ${kind}`), `${kind} met the storm`)
    t.ok(
      [200, 201, 204].some((status) => tally.counts.has(`${status} ${kind}`)),
      `${kind} worked`,
    )
  }
  const unexpected = app.log.filter(
    ({ event, status }) =>
      event === 'work.failed' || (event === 'request.failed' && status !== 503),
  )
  t.strictSame(unexpected, [])
}

/** Fails the test at any other status than these. */
function openTally(t: Test, allowed: readonly number[]): Tally {
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
