// Steady traffic through a proxy while what is behind it is replaced. Nobody repeats a request: whatever
// is not the answer that it should be is a failure, a connection that ends without one as well.

import { Agent } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { SERVER_CA } from '../scenes/tls-scene.ts'
import type { TokenAnswer } from '../support/app.ts'
import { tlsFetch } from '../support/tls-fetch.ts'

const CHAINS = 6
const PAUSE_MS = 60
const PAUSE_OF_LOGINS_MS = 250

interface Person {
  readonly username: string
  readonly password: string
}

export interface LoadOptions {
  /** Of the proxy, without a trailing slash. */
  readonly url: string
  /** A public one, and one with a secret that may ask about all tokens. */
  readonly client: { readonly id: string }
  readonly watcher: { readonly id: string; readonly secret: string }
  /** One for each chain of refreshes, and some for logins. */
  readonly people: readonly Person[]
}

/** As many as `people` have to be. */
export const PEOPLE = CHAINS + 2

export interface Failure {
  readonly what: string
  /** Milliseconds since the load began. */
  readonly atMs: number
  /** What came in place of the answer. */
  readonly came: string
}

/** An answer of Lineage that it cannot know now, of a machine that has too much to do; the request was not lost. */
const BUSY = /^503 .*temporarily_unavailable/

export function isRefusal({ came }: Failure): boolean {
  return BUSY.test(came)
}

export interface Load {
  /** Requests that were answered as they should be, by what they asked for. */
  readonly answered: ReadonlyMap<string, number>
  readonly failures: readonly Failure[]
  slowestMs(): number
  /** Resolves when the last request has been answered. */
  stop(): Promise<void>
}

type Form = Readonly<Record<string, string>>

/** What every actor has: it sends, and says what it should be answered. */
interface Caller {
  readonly options: LoadOptions
  isOver(): boolean
  /** The body where the answer was the one that is expected. */
  ask(what: string, path: string, expected: Expected, init?: RequestInit): Promise<unknown>
  form(what: string, path: string, expected: Expected, form: Form): Promise<unknown>
}

interface Expected {
  readonly status: number
  /** Whether the body, JSON or nothing, is as it should be. */
  readonly holds?: (body: Record<string, unknown>) => boolean
}

const OK: Expected = { status: 200 }

/** Begins at once. */
export function startLoad(options: LoadOptions): Load {
  const agent = new Agent({ keepAlive: true })
  const send = tlsFetch({ ca: SERVER_CA.cert, agent })
  const answered = new Map<string, number>()
  const failures: Failure[] = []
  const begunAt = performance.now()
  let [slowestMs, isOver] = [0, false]

  async function ask(what: string, path: string, expected: Expected, init?: RequestInit) {
    const from = performance.now()
    const { body, came } = await read(() => send(`${options.url}${path}`, init), expected)
    const now = performance.now()
    slowestMs = Math.max(slowestMs, now - from)
    if (came === undefined) answered.set(what, (answered.get(what) ?? 0) + 1)
    else failures.push({ what, atMs: Math.round(now - begunAt), came })
    return came === undefined ? body : undefined
  }

  const caller: Caller = {
    options,
    isOver: () => isOver,
    ask,
    form: (what, path, expected, form) =>
      ask(what, path, expected, { method: 'POST', body: new URLSearchParams(form) }),
  }
  const running = Promise.all([
    ...options.people.slice(0, CHAINS).map((person) => refreshOverAndOver(caller, person)),
    ...options.people.slice(CHAINS).map((person) => logInAndRevoke(caller, person)),
    askAsClient(caller),
    readPublicPages(caller),
  ])
  return {
    answered,
    failures,
    slowestMs: () => Math.round(slowestMs),
    async stop() {
      isOver = true
      await running
      agent.destroy()
    },
  }
}

/** `came` is undefined where all is as it should be. */
async function read(
  send: () => Promise<Response>,
  { status, holds = () => true }: Expected,
): Promise<{ body?: unknown; came?: string }> {
  try {
    const answer = await send()
    const text = await answer.text()
    const isJson = text.startsWith('{')
    const body = isJson ? (JSON.parse(text) as Record<string, unknown>) : {}
    if (answer.status === status && holds(body)) return { body }
    return { came: `${answer.status} ${text.slice(0, 200)}` }
  } catch (error) {
    return { came: String(error) }
  }
}

async function logIn(caller: Caller, person: Person): Promise<TokenAnswer | undefined> {
  const { username, password } = person
  const form = { grant_type: 'password', client_id: caller.options.client.id, username, password }
  return (await caller.form('login', '/token', OK, form)) as TokenAnswer | undefined
}

/** A session that lives as long as the load; where it breaks, that is a failure, and another begins. */
async function refreshOverAndOver(caller: Caller, person: Person): Promise<void> {
  const { client } = caller.options
  let tokens: TokenAnswer | undefined
  while (!caller.isOver()) {
    if (tokens) {
      const form = { client_id: client.id, refresh_token: tokens.refresh_token }
      const grant = { grant_type: 'refresh_token', ...form }
      tokens = (await caller.form('refresh', '/token', OK, grant)) as TokenAnswer | undefined
      const headers = { authorization: `Bearer ${tokens?.access_token}` }
      if (tokens) await caller.ask('verify', '/verify', OK, { headers })
    } else {
      tokens = await logIn(caller, person)
    }
    await delay(PAUSE_MS)
  }
}

/** What was revoked at one instance is not to come back at the other. */
async function logInAndRevoke(caller: Caller, person: Person): Promise<void> {
  const client_id = caller.options.client.id
  const ended = {
    status: 400,
    holds: ({ error }: { error?: unknown }) => error === 'invalid_grant',
  }
  while (!caller.isOver()) {
    const tokens = await logIn(caller, person)
    if (tokens) {
      const token = tokens.refresh_token
      const isRevoked = await caller.form('revoke', '/revoke', OK, { client_id, token })
      const form = { grant_type: 'refresh_token', client_id, refresh_token: token }
      if (isRevoked) await caller.form('refresh of what has ended', '/token', ended, form)
    }
    await delay(PAUSE_OF_LOGINS_MS)
  }
}

async function askAsClient(caller: Caller): Promise<void> {
  const { watcher } = caller.options
  const credentials = { client_id: watcher.id, client_secret: watcher.secret }
  const active = { status: 200, holds: (body: Record<string, unknown>) => body.active === true }
  while (!caller.isOver()) {
    const form = { grant_type: 'client_credentials', ...credentials }
    const own = await caller.form('client_credentials', '/token', OK, form)
    const token = (own as TokenAnswer | undefined)?.access_token
    if (token) await caller.form('introspect', '/introspect', active, { ...credentials, token })
    await delay(PAUSE_MS)
  }
}

async function readPublicPages(caller: Caller): Promise<void> {
  const hasKeys = ({ keys }: Record<string, unknown>) => Array.isArray(keys) && keys.length > 0
  while (!caller.isOver()) {
    await caller.ask('JWKS', '/.well-known/jwks.json', { status: 200, holds: hasKeys })
    await caller.ask('metadata', '/.well-known/oauth-authorization-server', OK)
    await delay(PAUSE_MS)
  }
}
