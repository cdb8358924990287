// Mixed load for as long as it is wanted, at a pace at which a machine could go on for days: everything that
// clients do, honest ones and others, each over a connection of its own.

import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { readMember } from '../../bench/load/chains.ts'
import {
  formRequest,
  getRequest,
  type HttpConnection,
  openConnection,
} from '../../bench/load/http-connection.ts'
import { PASSWORD } from '../../bench/programs/argon2-cost.ts'
import type { TokenServer } from '../../bench/subjects/token-server.ts'
import { garbageRequest } from '../hostile/garbage-requests.ts'

export interface SoakLoad {
  /** How often each kind was done so far. */
  readonly counts: ReadonlyMap<string, number>
  /** Resolves when the last has been answered. Throws what an answer was wrong about. */
  stop(): Promise<void>
}

/** One thing that somebody does; throws at an answer that it should not have. */
type Act = (caller: Caller) => Promise<void>

interface Caller {
  readonly server: TokenServer
  /** Counts up with each act, and is another one for each caller. */
  readonly number: number
  ask(request: string, status: number): Promise<string>
}

/** A service that has too much to do says when to come again. */
const TURNED_AWAY = 'answers 503, asked again'
const RETRY_MS = 1_000

/** How many of each kind there are, and how long each waits between two acts. */
const CALLERS: Readonly<Record<string, { act: Act; callers: number; pauseMs: number }>> = {
  'logins with five refreshes': { act: goOn, callers: 2, pauseMs: 100 },
  'replays of an old token': { act: replay, callers: 1, pauseMs: 300 },
  revocations: { act: revoke, callers: 1, pauseMs: 300 },
  'introspections and checks': { act: check, callers: 2, pauseMs: 200 },
  'client credentials': { act: serve, callers: 1, pauseMs: 20 },
  garbage: { act: showGarbage, callers: 2, pauseMs: 10 },
  'callers who hang up': { act: hangUp, callers: 1, pauseMs: 200 },
}

export function startSoakLoad(server: TokenServer): SoakLoad {
  const counts = new Map<string, number>()
  let isOver = false
  const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)
  const run = async (name: string, index: number) => {
    const { act, callers, pauseMs } = CALLERS[name] ?? { act: check, callers: 1, pauseMs: 0 }
    let connection: HttpConnection | undefined
    const ask = async (request: string, status: number) => {
      connection ??= await openConnection(server.port)
      for (;;) {
        const answer = await connection.send(request)
        if (answer.status === status) return answer.body
        const text = `${name}: ${answer.status} in place of ${status}: ${answer.body}`
        if (answer.status !== 503) throw new Error(text)
        count(TURNED_AWAY)
        await delay(RETRY_MS)
      }
    }
    for (let number = index; !isOver; number += callers) {
      await act({ server, number, ask })
      count(name)
      await delay(pauseMs)
    }
    connection?.close()
  }
  const running = Promise.all(
    Object.entries(CALLERS).flatMap(([name, { callers }]) =>
      Array.from({ length: callers }, (_, index) => run(name, index)),
    ),
  )
  // Whatever fails is told at the stop.
  running.catch(() => {})
  return {
    counts,
    async stop() {
      isOver = true
      await running
    },
  }
}

function login({ server, number }: Caller): string {
  const username = server.usernames[number % server.usernames.length] ?? ''
  return formRequest('/token', {
    grant_type: 'password',
    ...server.app,
    username,
    password: PASSWORD,
  })
}

function refresh({ server }: Caller, answer: string): string {
  const token = readMember(answer, 'refresh_token')
  return formRequest('/token', { grant_type: 'refresh_token', ...server.app, refresh_token: token })
}

/** As a user's app does: its sessions are left to themselves, and the oldest end. */
async function goOn(caller: Caller): Promise<void> {
  let answer = await caller.ask(login(caller), 200)
  for (let count = 0; count < 5; count += 1) answer = await caller.ask(refresh(caller, answer), 200)
}

async function replay(caller: Caller): Promise<void> {
  const first = await caller.ask(login(caller), 200)
  const second = await caller.ask(refresh(caller, first), 200)
  const third = await caller.ask(refresh(caller, second), 200)
  await caller.ask(refresh(caller, first), 400)
  await caller.ask(refresh(caller, third), 400)
}

async function revoke(caller: Caller): Promise<void> {
  const answer = await caller.ask(login(caller), 200)
  const of = (token: string) => formRequest('/revoke', { ...caller.server.app, token })
  await caller.ask(of(readMember(answer, 'access_token')), 200)
  await caller.ask(of(readMember(answer, 'refresh_token')), 200)
  await caller.ask(refresh(caller, answer), 400)
}

async function check(caller: Caller): Promise<void> {
  const answer = await caller.ask(login(caller), 200)
  const token = readMember(answer, 'access_token')
  for (let count = 0; count < 5; count += 1) {
    await caller.ask(formRequest('/introspect', { ...caller.server.service, token }), 200)
    await caller.ask(getRequest('/verify', token), 200)
    await caller.ask(getRequest('/.well-known/jwks.json'), 200)
  }
}

async function serve({ server, ask }: Caller): Promise<void> {
  await ask(formRequest('/token', { grant_type: 'client_credentials', ...server.service }), 200)
}

async function showGarbage({ server, number, ask }: Caller): Promise<void> {
  const known = {
    accessToken: 'e30.e30.e30',
    refreshToken: `lrt_${'A'.repeat(94)}`,
    publicId: server.app.client_id ?? '',
    confidential: {
      client_id: server.service.client_id ?? '',
      client_secret: server.service.client_secret ?? '',
    },
  }
  const { path, form, bearer, status } = garbageRequest(known, number)
  await ask(form ? formRequest(path, form) : getRequest(path, bearer), status)
}

/** Half of them in the middle of the request, the others before the answer. */
function hangUp(caller: Caller): Promise<void> {
  const request = login(caller)
  const said = caller.number % 2 === 0 ? request : request.slice(0, -20)
  return new Promise((resolve, reject) => {
    const socket = connect(caller.server.port, '127.0.0.1', () => {
      socket.write(said, () => socket.destroy())
    })
    socket.on('error', reject)
    socket.on('close', () => resolve())
  })
}
