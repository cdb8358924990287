// What somebody does who means harm and has nothing: no password, no token, no secret.

import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { readMember, takeOnce } from '../../bench/load/chains.ts'
import { runLoad } from '../../bench/load/closed-loop.ts'
import { formRequest, getRequest } from '../../bench/load/http-connection.ts'
import { monitorCommands, POLL } from '../support/counted-calls.ts'
import type { OpenedScope } from '../support/scope.ts'
import { floodWithEvents } from './event-flood.ts'
import { garbageRequest } from './garbage-requests.ts'
import { type HostileScene, MAX_CONNECTIONS } from './hostile-scene.ts'
import { openSlowCrowd, SLOW_BODY, SLOW_HEADERS, type SlowManner } from './slow-senders.ts'

export interface Attack {
  /** Whether others refresh meanwhile; not where the calls at the stores are counted. */
  readonly hasOthers: boolean
  /** Resolves with what came of it, as a sentence; throws when a promise was broken. */
  run(scene: HostileScene, scope: OpenedScope): Promise<string>
}

const SLOW = 500
const UNREAD = 200
const IDLE = 10_000
/** So many more may seem open: of those that the server has ended we hear a moment later. */
const HEARD_LATE = 500
/** What is never of use is gone by then; idle after an answer, it would be there for longer. */
const OPEN_SECONDS_MAX = 100
/** One connection may have 64 waiting. */
const PIPELINED = 60
const BURSTS = 2_000
const GARBAGE = 100_000
const DEEP = 2_000
const DEEP_LEVELS = 32_000

export const ATTACKS: Readonly<Record<string, Attack>> = {
  'slow headers': crowd(SLOW, { ...SLOW_HEADERS, everyMs: 1_000 }),
  'slow bodies': crowd(SLOW, { ...SLOW_BODY, everyMs: 1_000 }),
  'answers that nobody reads': crowd(UNREAD, {
    start: 'GET /docs HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(PIPELINED),
    // A connection that takes nothing is ended after 30 s, or after a second look 30 s later.
    unreadMs: 70_000,
  }),
  'idle connections, more than may be open': crowd(IDLE, { start: '' }),
  pipelines: { hasOthers: true, run: sendPipelines },
  'deep JSON': { hasOthers: true, run: sendDeepJson },
  'events by the thousand': { hasOthers: true, run: floodWithEvents },
  'garbage tokens': { hasOthers: false, run: showGarbage },
}

/** What the poll opens anew counts for nobody. */
const NEW_CONNECTION = /^SELECT pg_backend_pid\(\) = /

/** So many connections that are opened and never of use, until the server has ended the last one. */
function crowd(count: number, manner: SlowManner): Attack {
  return {
    hasOthers: true,
    async run({ server }, scope) {
      const startedAt = performance.now()
      const { ended, open } = openSlowCrowd(scope, server.port, count, manner)
      let most = 0
      const watching = setInterval(() => {
        most = Math.max(most, open())
      }, 50)
      await ended
      clearInterval(watching)
      const seconds = Math.round((performance.now() - startedAt) / 1000)
      if (seconds > OPEN_SECONDS_MAX) throw new Error(`some were open for ${seconds} s`)
      if (most > MAX_CONNECTIONS + HEARD_LATE) throw new Error(`${most} connections were open`)
      return `${most} of ${count} connections were open together, the last was ended after ${seconds} s`
    },
  }
}

async function sendPipelines({ server }: HostileScene): Promise<string> {
  const burst = getRequest('/.well-known/jwks.json').repeat(PIPELINED)
  let answered = 0
  for (let sent = 0; sent < BURSTS / 20; sent += 1) {
    const crowds = Array.from({ length: 20 }, () => answersOf(server.port, burst))
    for (const count of await Promise.all(crowds)) answered += count
  }
  if (answered !== BURSTS * PIPELINED) throw new Error(`${answered} answers in pipelines`)
  return `${BURSTS} pipelines of ${PIPELINED} requests, all answered`
}

/** How many 200 come back for so much in one write. */
async function answersOf(port: number, burst: string): Promise<number> {
  return await new Promise((resolve) => {
    let said = ''
    let count = 0
    const socket = connect(port, '127.0.0.1', () => socket.write(burst))
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      said += text
      count = said.split('HTTP/1.1 200').length - 1
      if (count === PIPELINED) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(count))
  })
}

async function sendDeepJson({ server }: HostileScene): Promise<string> {
  const body = '['.repeat(DEEP_LEVELS) + ']'.repeat(DEEP_LEVELS)
  const request =
    'POST /users HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n' +
    `content-length: ${body.length}\r\n\r\n${body}`
  const chains = takeOnce(Array.from({ length: DEEP }, () => request))
  await runLoad({ port: server.port, chains, statuses: new Set([400, 422]) })
  return `${DEEP} bodies of ${DEEP_LEVELS} levels, all refused`
}

async function showGarbage(
  { server, redis, statements, logIn }: HostileScene,
  scope: OpenedScope,
): Promise<string> {
  const login = await logIn(0)
  const known = {
    accessToken: readMember(login, 'access_token'),
    refreshToken: readMember(login, 'refresh_token'),
    publicId: server.app.client_id ?? '',
    confidential: {
      client_id: server.service.client_id ?? '',
      client_secret: server.service.client_secret ?? '',
    },
  }
  const monitor = await monitorCommands(scope, redis.port)
  // What the login has left to be written is written by then.
  await delay(3_000)
  const before = { sql: statements.length, commands: await monitor.seen() }
  const requests = Array.from({ length: GARBAGE }, (_, number) => {
    const { path, form, bearer } = garbageRequest(known, number)
    return form ? formRequest(path, form) : getRequest(path, bearer)
  })
  const startedAt = performance.now()
  await runLoad({
    port: server.port,
    chains: takeOnce(requests),
    statuses: new Set([200, 400, 401]),
  })
  const seconds = (performance.now() - startedAt) / 1000
  const calls = [
    ...statements.slice(before.sql),
    ...(await monitor.commands()).slice(before.commands),
  ].filter((text) => !POLL.test(text) && !NEW_CONNECTION.test(text))
  if (calls.length > 0) {
    const kinds = new Set(calls.map((text) => text.slice(0, 80)))
    throw new Error(`${calls.length} calls at the stores: ${[...kinds].join('; ')}`)
  }
  const perSecond = Math.round(GARBAGE / seconds)
  return `${GARBAGE} refused at ${perSecond} a second, with no call at the stores`
}
