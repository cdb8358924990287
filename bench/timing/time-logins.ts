// Times logins of all classes in turn, one at a time: in each round every class once, in an order of
// chance, so that whatever else the machine does meets all of them alike.

import { openConnection } from '../load/http-connection.ts'
import type { NextRequest } from './login-classes.ts'

/** Before anything is measured: connections are opened, code is compiled, threads are started. */
const WARM_UP_ROUNDS = 50

/** Milliseconds by class, in the order in which they were taken. */
export type Times = ReadonlyMap<string, readonly number[]>

/** Throws when an answer differs from any other in status or body. */
export async function timeLogins(
  port: number,
  classes: ReadonlyMap<string, NextRequest>,
  samples: number,
): Promise<Times> {
  const connection = await openConnection(port)
  const times = new Map<string, number[]>([...classes.keys()].map((name) => [name, []]))
  let expected: string | undefined
  for (let round = -WARM_UP_ROUNDS; round < samples; round += 1) {
    for (const [name, next] of shuffle([...classes])) {
      const request = next()
      const startedAt = performance.now()
      const { status, body } = await connection.send(request)
      const took = performance.now() - startedAt
      expected ??= `${status} ${body}`
      if (`${status} ${body}` !== expected || status !== 400) {
        throw new Error(`${name}: ${status} ${body}, and not ${expected}`)
      }
      if (round >= 0) times.get(name)?.push(took)
    }
  }
  connection.close()
  return times
}

function shuffle<T>(items: T[]): T[] {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1))
    const [one, two] = [items[last], items[other]] as [T, T]
    items[last] = two
    items[other] = one
  }
  return items
}
