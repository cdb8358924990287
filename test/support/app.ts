// A whole service in this process, on a database of its own, listening on a real port: what HTTP
// tests talk to. Time can be stepped; the logs can be read.

import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import type { ServiceConfig } from '../../src/config/service-config.ts'
import type { Surface } from '../../src/http/server/listener-plan.ts'
import type { MailSettings } from '../../src/mail/smtp-target.ts'
import { createLogger } from '../../src/ops/logger.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { openRootSecrets } from '../../src/secrets/root-secret.ts'
import { openService, type Service } from '../../src/wiring/open-service.ts'
import { openTestDatabase } from './postgres.ts'
import { ROOT_SECRET } from './root-secrets.ts'

export const ISSUER = 'https://auth.example.test'
export const ADMIN = { id: 'bootstrap-admin', secret: 'a-bootstrap-secret-of-enough-length' }

/** Of an installation that sends mail, to a server that is never there. */
export const MAIL: MailSettings = {
  smtp: { host: '127.0.0.1', port: 9, tls: 'none', credentials: undefined },
  from: { name: 'Lineage', address: 'no-reply@example.test' },
  pages: {
    password_reset: 'https://app.example.test/reset',
    email_verification: 'https://app.example.test/verify?lang=en',
  },
  templates: undefined,
}

export interface LogLine {
  readonly event: string
  readonly reason?: string
  readonly [member: string]: unknown
}

export interface HttpTools {
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** POSTs a form; undefined members are left out. */
  form(
    path: string,
    parameters: Record<string, string | undefined>,
    headers?: Record<string, string>,
  ): Promise<Response>
  /** A fresh token of the bootstrap admin client. */
  adminToken(): Promise<string>
  /** Sends JSON with a fresh admin token. */
  admin(method: string, path: string, body?: unknown): Promise<Response>
  /** Makes a client; its secret is empty for a public one. */
  makeClient(input: Partial<ClientInput> & { id?: string }): Promise<{ id: string; secret: string }>
  makeUser(user?: {
    username?: string
    email?: string
    password?: string
    roles?: string[]
  }): Promise<{ id: string; username: string; password: string }>
}

export interface TestApp extends HttpTools {
  readonly app: FastifyInstance
  readonly service: Service
  /** Where it listens, without a trailing slash; the issuer is another name. */
  readonly url: string
  /** Every line that was logged, parsed. */
  readonly log: readonly LogLine[]
  readonly databaseUrl: string
}

export interface StartAppOptions {
  readonly config?: Partial<ServiceConfig>
  readonly clock?: Clock
  /** Another instance on the database of this one. */
  readonly beside?: Pick<TestApp, 'databaseUrl'>
  readonly surface?: Surface
  /** In place of the global one, which trusts no certificate of a test and has none. */
  readonly send?: Send
}

/** What `fetch` does with these two. */
export type Send = (url: string, init?: RequestInit) => Promise<Response>

export function testConfig(databaseUrl: string): ServiceConfig {
  return {
    port: 0,
    host: '127.0.0.1',
    logLevel: 'debug',
    logConcerns: new Map(),
    logFormat: 'json',
    dataDir: '.lineage',
    issuer: ISSUER,
    databaseUrl,
    redis: undefined,
    rootSecrets: openRootSecrets([ROOT_SECRET]),
    adminClient: ADMIN,
    registration: 'closed',
    signingAlgs: ['ES256'],
    audienceSigningAlgs: new Map(),
    keyRotationDays: 30,
    jwksMaxAgeSeconds: 300,
    accessTokenTtlSeconds: 600,
    refreshIdleTtlSeconds: 1_209_600,
    refreshAbsoluteTtlSeconds: 7_776_000,
    refreshGraceSeconds: 30,
    defaultAudience: undefined,
    assertionAudience: 'issuer',
    trustProxy: [],
    tls: undefined,
    certificateHeader: { name: 'client-cert', form: 'rfc9440' },
    isCertificateHeaderStated: true,
    mtlsOrigin: undefined,
    opsPort: undefined,
    migrate: 'auto',
    applyFiles: [],
    shutdownDelaySeconds: 0,
    maxConnections: 1_000,
    workers: 1,
    eventRetentionDays: 90,
    argon2: { memoryKib: 1024, time: 1, parallelism: 1 },
    passwordPeppers: undefined,
    passwordMinLength: 8,
    passwordMaxLength: 256,
    passwordBlocklist: true,
    // With one, whoever tests something else would have to ask twice.
    dpopNonce: 'off',
    throttle: 'on',
    throttleExempt: [],
    threads: 4,
    mail: undefined,
    telemetry: undefined,
  }
}

export async function startApp(t: Test, options: StartAppOptions = {}): Promise<TestApp> {
  const databaseUrl = options.beside?.databaseUrl ?? (await openTestDatabase(t)).url
  const { log, logger } = captureLog()
  const config = { ...testConfig(databaseUrl), ...options.config }
  const { clock } = options
  const service = await openService({ config, logger, ...(clock ? { clock } : {}) })
  const app = await buildApp(service, logger, options.surface)
  await app.listen({ port: 0, host: '127.0.0.1' })
  service.health.markStarted()
  t.teardown(async () => {
    app.server.closeAllConnections()
    await app.close()
    await service.close()
  })
  const { port } = app.server.address() as AddressInfo
  const url = `${config.tls ? 'https' : 'http'}://127.0.0.1:${port}`
  return { app, service, url, log, databaseUrl, ...openTools(url, service, options.send) }
}

function captureLog(): { log: LogLine[]; logger: Logger } {
  const log: LogLine[] = []
  const logger = createLogger('debug', {
    write: (line: string) => void log.push(JSON.parse(line) as LogLine),
  })
  return { log, logger }
}

/** What speaks to a service at `url`, in this process or not, whose bootstrap client is ADMIN. */
export function openTools(
  url: string,
  { basePath }: Pick<Service, 'basePath'>,
  send: Send = fetch,
): HttpTools {
  const tools: HttpTools = {
    adminToken,

    fetch: (path, init) => send(`${url}${path}`, init),

    form(path, parameters, headers = {}) {
      const given = Object.entries(parameters).filter(([, value]) => value !== undefined)
      const body = new URLSearchParams(given as [string, string][])
      return tools.fetch(path, { method: 'POST', body, headers })
    },

    async admin(method, path, body) {
      const token = await adminToken()
      return await tools.fetch(`${basePath}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    },

    async makeClient(input) {
      const answer = await tools.admin('POST', '/admin/clients', {
        name: 'A test client',
        type: 'public',
        grantTypes: ['password', 'refresh_token'],
        ...input,
      })
      const client = (await answer.json()) as { id: string; clientSecret?: string }
      if (answer.status !== 201) throw new Error(`no client: ${JSON.stringify(client)}`)
      return { id: client.id, secret: client.clientSecret ?? '' }
    },

    async makeUser(user = {}) {
      const name = `user-${randomBytes(4).toString('hex')}`
      const { username = name, email = `${name}@example.test`, password = 'correct horse' } = user
      const answer = await tools.admin('POST', '/admin/users', {
        username,
        email,
        password,
        ...(user.roles ? { roles: user.roles } : {}),
      })
      const created = (await answer.json()) as { id: string }
      if (answer.status !== 201) throw new Error(`no user: ${JSON.stringify(created)}`)
      return { id: created.id, username, password }
    },
  }

  async function adminToken(): Promise<string> {
    const answer = await tools.form(`${basePath}/token`, {
      grant_type: 'client_credentials',
      client_id: ADMIN.id,
      client_secret: ADMIN.secret,
    })
    return ((await answer.json()) as { access_token: string }).access_token
  }

  return tools
}

export interface TokenAnswer {
  readonly access_token: string
  readonly token_type: string
  readonly expires_in: number
  readonly scope: string
  readonly refresh_token: string
  readonly refresh_token_expires_in?: number
  readonly authorization_expires_in?: number
}

/** Logs in at a public client and returns the tokens; throws when that is refused. */
export async function logIn(
  app: Pick<TestApp, 'form'>,
  client: { id: string; secret?: string },
  user: { username: string; password: string },
  extra: Record<string, string> = {},
): Promise<TokenAnswer> {
  const answer = await app.form('/token', {
    grant_type: 'password',
    client_id: client.id,
    client_secret: client.secret || undefined,
    username: user.username,
    password: user.password,
    ...extra,
  })
  const body = (await answer.json()) as TokenAnswer
  if (answer.status !== 200) throw new Error(`no login: ${JSON.stringify(body)}`)
  return body
}
