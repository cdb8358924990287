// Events by the thousand while none can be written: each failed authentication from an address of its own
// is an event of its own. The queue is bounded, and the few that matter are kept.

import { readMember } from '../../bench/load/chains.ts'
import { type Chain, runLoad } from '../../bench/load/closed-loop.ts'
import { formRequest, getRequest, openConnection } from '../../bench/load/http-connection.ts'
import { ask } from '../../bench/subjects/token-server.ts'
import { until } from '../support/until.ts'
import type { HostileScene } from './hostile-scene.ts'

/** Twice as many as may wait. */
const FLOOD = 20_000
const CONNECTIONS = 16
const THEFTS = 20
/** A service that is asked for too much says so, too. */
const REFUSED: ReadonlySet<number> = new Set([401, 429, 503])

export async function floodWithEvents(scene: HostileScene): Promise<string> {
  const { server, postgres, logIn, gauges } = scene
  const stolen: string[] = []
  for (let index = 0; index < THEFTS; index += 1) {
    stolen.push(readMember(await logIn(index), 'refresh_token'))
  }
  const token = await scene.adminToken()
  postgres.pause()
  const { client_id: id } = server.service
  let sent = 0
  let most = 0
  const chain: Chain = {
    next: () => {
      sent += 1
      if (sent > FLOOD) return undefined
      const source = `10.${sent >> 16}.${(sent >> 8) & 255}.${sent & 255}`
      const form = { grant_type: 'client_credentials', client_id: id ?? '', client_secret: 'wrong' }
      return formRequest('/token', form, source)
    },
  }
  const chains = Array.from({ length: CONNECTIONS }, () => chain)
  const flood = runLoad({ port: server.port, chains, statuses: REFUSED })
  // Whatever fails is told when it is waited for.
  flood.catch(() => {})
  // In the middle of it.
  await until('half of the flood', () => sent > FLOOD / 2)
  for (const refresh of stolen) await replay(scene, refresh)
  const watching = setInterval(async () => {
    most = Math.max(most, (await gauges().catch(() => undefined))?.eventsWaiting ?? 0)
  }, 500)
  await flood
  clearInterval(watching)
  postgres.resume()
  const kept = await until('the events', async () => {
    const path = '/admin/events?type=refresh.reuse_detected&limit=100'
    const answer = await ask(server.port, getRequest(path, token)).catch(() => '{"items":[]}')
    const { items } = JSON.parse(answer) as { items: readonly object[] }
    return items.length >= THEFTS && items.length
  })
  return (
    `${FLOOD} failed authentications of as many addresses while PostgreSQL stood still: ` +
    `${most} events waited at most, and all ${kept} of thefts were kept`
  )
}

/** The first token of a session again, after its successor's successor. */
async function replay({ server }: HostileScene, first: string): Promise<void> {
  const refresh = (token: string) =>
    formRequest('/token', { grant_type: 'refresh_token', ...server.app, refresh_token: token })
  const second = readMember(await askUntil(server.port, refresh(first), 200), 'refresh_token')
  await askUntil(server.port, refresh(second), 200)
  await askUntil(server.port, refresh(first), 400)
}

/** The same again while it is 503, as every client does. */
async function askUntil(port: number, request: string, status: number): Promise<string> {
  const connection = await openConnection(port)
  try {
    return await until(`an answer ${status}`, async () => {
      const answer = await connection.send(request)
      if (answer.status === status) return answer.body
      if (answer.status !== 503) throw new Error(`${answer.status}: ${answer.body}`)
      return undefined
    })
  } finally {
    connection.close()
  }
}
