// The services whose logins are shared: Lineage with a client of given settings, and oidc-provider.

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import { ISSUER } from '../../test/support/app.ts'
import { serverEnvironment, startLineage } from '../../test/support/lineage-process.ts'
import { openTestDatabase } from '../../test/support/postgres.ts'
import { startRedis } from '../../test/support/redis.ts'
import type { Scope } from '../../test/support/scope.ts'
import { startMeasured } from '../support/measured-process.ts'
import { openTokenEndpoint, type TokenEndpoint } from './ask-tokens.mjs'

export interface SharedLogin {
  /** With the key that each process has, and who copies the file does not. */
  readonly endpoint: TokenEndpoint
  /** What each process knows besides, and who copies the file does not. */
  readonly ownParameters: Readonly<Record<string, string>>
  /** What stands in the file. */
  readonly credentials: { readonly client_id: string; readonly refresh_token: string }
  /** Ends the grace of the client, as time would; undefined where there is none. */
  readonly endGrace: (() => Promise<void>) | undefined
}

/** A service, of which each call gives a new login at a new client. */
export type OpenLogin = (settings: Partial<ClientInput>) => Promise<SharedLogin>

export async function startLineageService(t: Scope): Promise<OpenLogin> {
  const [database, redis] = await Promise.all([openTestDatabase(t), startRedis(t)])
  const env = serverEnvironment(database.url, redis.url)
  const lineage = await startLineage(t, { ...env, LOG_LEVEL: 'warn' })
  return async (settings) => {
    const client = await lineage.makeClient({ refreshGraceSeconds: 300, ...settings })
    const { username, password } = await lineage.makeUser()
    const key = settings.dpopBoundAccessTokens ? newKey() : undefined
    const endpoint = { url: `${lineage.url}/token`, htu: `${ISSUER}/token`, key }
    const own: Record<string, string> = client.secret ? { client_secret: client.secret } : {}
    const login = { client_id: client.id, ...own, username, password }
    const credentials = { client_id: client.id, refresh_token: await logIn(endpoint, login) }
    return {
      endpoint,
      ownParameters: own,
      credentials,
      async endGrace() {
        const patch = { refreshGraceSeconds: 0 }
        await lineage.admin('PATCH', `/admin/clients/${client.id}`, patch)
      },
    }
  }
}

export async function startOidcProvider(t: Scope): Promise<OpenLogin> {
  const script = join(import.meta.dirname, 'oidc-provider-default.ts')
  const { told, stop } = startMeasured(script, {}, ['--import=tsx'])
  t.teardown(stop)
  const url = `http://127.0.0.1:${await told<number>('port')}/token`
  return async () => {
    const endpoint = { url, htu: url }
    const username = randomBytes(8).toString('hex')
    const login = { client_id: 'app', username, password: 'any' }
    const credentials = { client_id: 'app', refresh_token: await logIn(endpoint, login) }
    return { endpoint, ownParameters: {}, credentials, endGrace: undefined }
  }
}

function newKey(): object {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
}

async function logIn(endpoint: TokenEndpoint, login: Record<string, string>): Promise<string> {
  const { body } = await openTokenEndpoint(endpoint)({ grant_type: 'password', ...login })
  if (!body.refresh_token) throw new Error(`no login: ${JSON.stringify(body)}`)
  return body.refresh_token
}
