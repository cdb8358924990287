// A client and a user that a drill makes for itself, and what becomes of their sessions at the running
// instance: everything is asked over HTTP, as an application would. Both are deleted at the end.

import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { CommandFailure } from '../command-failure.ts'
import { CLI_ACT, type CommandUsers } from '../command-stores.ts'
import { readAnswer } from '../read-answer.ts'
import type { Observation, Verdict } from './drill-plan.ts'

const TIMEOUT_MS = 5_000
const BYTES_MAX = 256 * 1024
/** Instances learn of a new client within five seconds, and are asked through a load balancer. */
const PATIENCE_MS = 20_000
const POLL_MS = 100
/** So many equal answers in a row: there may be several instances behind the address. */
const STEADY = 5

export interface ProbeTokens {
  readonly accessToken: string
  readonly refreshToken: string
}

export interface ProbeAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  /** Undefined unless the status is 200. */
  readonly tokens: ProbeTokens | undefined
}

export interface Probe {
  readonly clientId: string
  /** Throws CommandFailure where it is refused. */
  login(): Promise<ProbeTokens>
  refresh(refreshToken: string): Promise<ProbeAnswer>
  /** The status of a call with the access token that the service checks online. */
  use(accessToken: string): Promise<number>
  revoke(token: string): Promise<void>
  /** The keys that are served now. */
  jwks(): Promise<readonly Readonly<Record<string, unknown>>[]>
  close(): Promise<void>
}

/** `url` is where the running instances are; throws CommandFailure where they are not, or are others. */
export async function openProbe(stores: CommandUsers, url: string): Promise<Probe> {
  const { config } = stores
  const metadata = await askFor(`${url}/.well-known/openid-configuration`)
  if (metadata.body.issuer !== config.issuer) {
    throw new CommandFailure(`what answers at ${url} is not the issuer of this environment`)
  }
  const name = `drill-${randomBytes(6).toString('hex')}`
  const password = randomBytes(24).toString('base64url')
  const client = await stores.clients.create(
    {
      name,
      type: 'public',
      grantTypes: ['password', 'refresh_token'],
      audiences: [config.issuer],
    },
    CLI_ACT,
  )
  const input = { username: name, email: `${name}@drill.invalid`, password }
  const user = await stores.users.create(input, CLI_ACT).catch(async (error: unknown) => {
    await stores.clients.delete(client.id, CLI_ACT)
    throw error
  })
  const form = (path: string, fields: Record<string, string>) =>
    askFor(`${url}${path}`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: client.id, ...fields }),
    })
  const refresh = (token: string) =>
    form('/token', { grant_type: 'refresh_token', refresh_token: token })

  const probe: Probe = {
    clientId: client.id,
    async login() {
      const fields = { grant_type: 'password', username: name, password }
      const { status, body, tokens } = await form('/token', fields)
      if (tokens) return tokens
      throw new CommandFailure(`the drill's own login is refused: ${status} ${String(body.error)}`)
    },
    refresh,
    use: async (token) =>
      (await askFor(`${url}/users/me`, { headers: { authorization: `Bearer ${token}` } })).status,
    revoke: async (token) => void (await form('/revoke', { token })),
    async jwks() {
      const { keys } = (await askFor(`${url}/.well-known/jwks.json`)).body
      return Array.isArray(keys) ? keys : []
    },
    async close() {
      await stores.users.delete(user.id, CLI_ACT)
      await stores.clients.delete(client.id, CLI_ACT)
    },
  }
  try {
    // A public client that is known is told that its token is not good, and no attempt counts.
    const known = await watch('refused', async () =>
      (await refresh('none')).status === 400 ? 'refused' : 'goes on',
    )
    if (known.seen !== 'refused') {
      throw new CommandFailure('the running instances do not see the database of this environment')
    }
  } catch (error) {
    await probe.close()
    throw error
  }
  return probe
}

/** Asks until the answer is steadily the expected one, or patience ends. */
export async function watch(
  expected: Verdict,
  ask: () => Promise<Verdict | 'neither'>,
  fromMs = performance.now(),
): Promise<Omit<Observation, 'id' | 'detail'>> {
  const giveUpAt = performance.now() + PATIENCE_MS
  let since = performance.now()
  for (let steady = 0; ; ) {
    const seen = await ask()
    if (seen !== expected) steady = 0
    else if (steady++ === 0) since = performance.now()
    const isLate = performance.now() > giveUpAt
    if (steady >= STEADY || isLate) {
      const atMs = steady > 0 ? since : performance.now()
      return { expected, seen, afterSeconds: Math.max(0, atMs - fromMs) / 1000 }
    }
    await delay(POLL_MS)
  }
}

/** As an application sees an answer: 503 is neither, it asks again. */
export function verdictOf(status: number): Verdict | 'neither' {
  if (status === 200) return 'goes on'
  return status >= 400 && status < 500 && status !== 429 ? 'refused' : 'neither'
}

/** Never rejects: no answer has the status 0. */
async function askFor(url: string, init: RequestInit = {}): Promise<ProbeAnswer> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const answer = await fetch(url, { ...init, signal, redirect: 'manual' })
    const text = await readAnswer(answer.body, BYTES_MAX)
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
    const { access_token: accessToken, refresh_token: refreshToken } = body
    const isGiven = typeof accessToken === 'string' && typeof refreshToken === 'string'
    const tokens = isGiven ? { accessToken, refreshToken } : undefined
    return { status: answer.status, body, tokens }
  } catch {
    return { status: 0, body: {}, tokens: undefined }
  }
}
