// Services that hand a user's token on (RFC 8693): `web` logs users in, `gateway` exchanges their tokens
// for the orders service, and `orders` exchanges those in turn for the stock service. `courier` may bring
// tokens of all three, and what it is sent by them it could try to use.

import { decodeJwt } from 'jose'
import type { Test } from 'tap'
import { parseRedisUrl } from '../../src/config/redis-url.ts'
import { logIn, type StartAppOptions, startApp, type TestApp } from '../support/app.ts'
import { openTestRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
export const ORDERS = 'https://orders.example.test'
export const BILLING = 'https://billing.example.test'
export const STOCK = 'stock'

export type Form = Record<string, string | undefined>
type Headers = Record<string, string>

export interface ExchangeAnswer {
  readonly status: number
  readonly body: Record<string, unknown>
  /** The access token and what it says; empty where there is none. */
  readonly token: string
  readonly claims: Record<string, unknown>
}

export interface ExchangeScene {
  readonly app: TestApp
  readonly user: { id: string; username: string; password: string }
  /** An access token of a new session of the user at `web`. */
  logIn(): Promise<string>
  /** A token of a confidential client for itself. */
  ownToken(id: string, form?: Form, headers?: Headers): Promise<string>
  /** `gateway` exchanges the token, unless `by` says who. */
  exchange(
    subjectToken: string,
    form?: Form,
    by?: string,
    headers?: Headers,
  ): Promise<ExchangeAnswer>
  secretOf(id: string): string
  /** Whether `/verify` and `/introspect` take the token now. */
  isGood(token: string): Promise<boolean>
  lastReason(): string | undefined
}

/** The policies of the scene. */
const RULES = {
  gateway: [
    {
      audience: ORDERS,
      scopes: ['orders:read', 'orders:write'],
      subjectClients: ['web', 'batch', 'gateway'],
      mode: 'delegation',
    },
    {
      audience: BILLING,
      scopes: ['orders:read'],
      subjectClients: ['web', 'orders'],
      mode: 'impersonation',
    },
    {
      audience: 'ledger',
      scopes: ['orders:read'],
      subjectClients: ['web'],
      mode: 'delegation',
      mayAct: 'orders',
    },
  ],
  orders: [
    { audience: STOCK, scopes: ['orders:read'], subjectClients: ['gateway'], mode: 'delegation' },
    { audience: ORDERS, scopes: ['orders:read'], subjectClients: ['orders'], mode: 'delegation' },
  ],
  courier: [
    {
      audience: STOCK,
      scopes: ['orders:read'],
      subjectClients: ['web', 'gateway', 'orders'],
      mode: 'delegation',
    },
  ],
} as const

export type Store = 'postgresql' | 'redis'

export async function openExchangeScene(
  t: Test,
  store: Store = 'postgresql',
  options: StartAppOptions = {},
): Promise<ExchangeScene> {
  const redis = store === 'redis' ? parseRedisUrl((await openTestRedis(t)).url) : undefined
  const app = await startApp(t, { ...options, config: { redis, ...options.config } })
  await until('the store', async () => (await app.service.health.readiness()).status === 'ok')
  const secrets = new Map<string, string>()
  const make = async (id: string, input: Parameters<TestApp['makeClient']>[0]) => {
    secrets.set(id, (await app.makeClient({ id, ...input })).secret)
  }
  const scopes = ['orders:read', 'orders:write', 'profile', 'lineage:admin']
  await make('web', { scopes, defaultScopes: scopes.slice(0, 3) })
  await make('other', { scopes, defaultScopes: scopes.slice(0, 3) })
  const confidential = { type: 'confidential', scopes: scopes.slice(0, 3) } as const
  const grantTypes = ['client_credentials', EXCHANGE]
  await make('gateway', { ...confidential, grantTypes, exchange: RULES.gateway })
  await make('orders', { ...confidential, grantTypes, exchange: RULES.orders })
  await make('courier', { ...confidential, grantTypes, exchange: RULES.courier })
  await make('bare', { ...confidential, grantTypes })
  await make('watcher', {
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['lineage:introspect'],
  })
  await make('batch', { ...confidential, grantTypes: ['client_credentials'] })
  const user = await app.makeUser({ roles: ['lineage:admin', 'support'] })

  const as = (id: string) => ({ client_id: id, client_secret: secrets.get(id) })

  async function send(form: Form, headers: Headers = {}): Promise<ExchangeAnswer> {
    const answer = await app.form('/token', form, headers)
    const body = (await answer.json()) as Record<string, unknown>
    const token = typeof body.access_token === 'string' ? body.access_token : ''
    return { status: answer.status, body, token, claims: token ? decodeJwt(token) : {} }
  }

  return {
    app,
    user,
    logIn: async () => (await logIn(app, { id: 'web' }, user)).access_token,
    ownToken: async (id, form = {}, headers = {}) =>
      (await send({ grant_type: 'client_credentials', ...as(id), ...form }, headers)).token,
    exchange: (token, form = {}, by = 'gateway', headers = {}) => {
      const subject = { subject_token: token, subject_token_type: ACCESS_TOKEN }
      return send({ grant_type: EXCHANGE, ...as(by), ...subject, ...form }, headers)
    },
    secretOf: (id) => secrets.get(id) ?? '',
    async isGood(token) {
      const headers = { authorization: `Bearer ${token}` }
      const { status } = await app.fetch('/verify', { headers })
      const state = await app.form('/introspect', { ...as('watcher'), token })
      const { active } = (await state.json()) as { active: boolean }
      if (active !== (status === 200)) throw new Error('/verify and /introspect disagree')
      return active
    },
    lastReason: () => app.log.findLast(({ event }) => event === 'request.refused')?.reason,
  }
}
