// The floor of a login: argon2 and nothing else. Verifies one password for as long as it is told,
// so many at once as Lineage does, and says how often and how long each took.

import { verify } from 'argon2'
import { hashPassword, PASSWORD } from './argon2-cost.ts'

interface Order {
  readonly seconds: number
  readonly lanes: number
}

const stored = await hashPassword()

async function run({ seconds, lanes }: Order): Promise<number[]> {
  const latenciesMs: number[] = []
  const endsAt = performance.now() + seconds * 1000
  const lane = async () => {
    for (let from = performance.now(); from < endsAt; from = performance.now()) {
      if (!(await verify(stored, PASSWORD))) throw new Error('argon2 refused the password')
      latenciesMs.push(performance.now() - from)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return latenciesMs
}

process.on('message', async (message: { run?: Order }) => {
  if (!message.run) return
  const from = performance.now()
  const latenciesMs = await run(message.run)
  process.send?.({ ran: { latenciesMs, seconds: (performance.now() - from) / 1000 } })
})
process.send?.({ port: 0 })
