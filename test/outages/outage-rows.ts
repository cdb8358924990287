// One request of every kind, and what it needs of the stores (docs/semantics.md §12). A row asks one
// instance again and again, and keeps what its next question follows from.

import { randomUUID } from 'node:crypto'
import { claimsOf, presentAssertion, signAssertion } from '../scenes/assertion-scene.ts'
import { logIn, type TokenAnswer } from '../support/app.ts'
import type { LineageProcess } from '../support/lineage-process.ts'
import { until } from '../support/until.ts'
import type { OutageScene } from './outage-scene.ts'

/** What a fault can take away. A full Redis still changes what it has; what is new has no room. */
export type Need = 'familyReads' | 'familyWrites' | 'familyRoom' | 'accountReads' | 'accountWrites'

export interface RowAnswer {
  readonly status: number
  readonly body: string
  /** It says so as it should: 503, which error, and when to come again. */
  readonly isUnavailable: boolean
}

export interface Row {
  readonly name: RowName
  readonly needs: readonly Need[]
  /** The status when nothing is away. */
  readonly served: number
  ask(): Promise<RowAnswer>
}

export type RowName = keyof ReturnType<typeof describeRows>

interface RowDraft {
  readonly needs: readonly Need[]
  readonly served?: number
  readonly send: () => Promise<Response>
  /** Told of each answer that it was served with. */
  readonly took?: (body: string) => void
}

const FAMILIES = ['familyReads', 'familyWrites'] as const
const NEW_FAMILIES = [...FAMILIES, 'familyRoom'] as const
/** More ends than a run asks for; when there is none left, the last is repeated. */
const REVOKED_SESSIONS = 12
const JSON_HEADERS = { 'content-type': 'application/json' }

/** The rows of one instance, with users and sessions of their own. */
export async function openRows(scene: OutageScene, service: LineageProcess): Promise<Row[]> {
  const [owner, visitor] = [await service.makeUser(), await service.makeUser()]
  const revoked: string[] = []
  while (revoked.length < REVOKED_SESSIONS) {
    revoked.push((await logIn(service, scene.app, owner)).refresh_token)
  }
  const drafts = describeRows(scene, service, {
    revoked,
    going: await logIn(service, scene.app, owner),
    visitor,
    adminToken: await service.adminToken(),
  })
  return Object.entries(drafts).map(([name, draft]) => toRow(name as RowName, draft))
}

function toRow(name: RowName, { needs, served = 200, send, took }: RowDraft): Row {
  return {
    name,
    needs,
    served,
    async ask() {
      const answer = await send()
      const body = await answer.text()
      if (answer.status === 200) took?.(body)
      const retryAfter = answer.headers.get('retry-after') ?? ''
      const isUnavailable =
        answer.status === 503 &&
        body.includes('temporarily_unavailable') &&
        /^[1-9]\d*$/.test(retryAfter)
      return { status: answer.status, body, isUnavailable }
    },
  }
}

interface People {
  readonly going: TokenAnswer
  /** Refresh tokens of sessions that are there to be ended. */
  readonly revoked: readonly string[]
  readonly visitor: { readonly id: string; readonly username: string; readonly password: string }
  readonly adminToken: string
}

function describeRows(scene: OutageScene, service: LineageProcess, people: People) {
  return {
    ...describeClients(scene, service),
    ...describeSessions(scene, service, people),
    ...describeAccounts(scene, service, people),
  } satisfies Record<string, RowDraft>
}

/** What needs no user. */
function describeClients({ app, watcher, keyed }: OutageScene, service: LineageProcess) {
  const get = (path: string) => ({ needs: [], send: () => service.fetch(path) })
  const asWatcher = {
    grant_type: 'client_credentials',
    client_id: watcher.id,
    client_secret: watcher.secret,
  }
  return {
    client_credentials: { needs: [], send: () => service.form('/token', asWatcher) },
    'client_credentials, by an assertion': {
      needs: NEW_FAMILIES,
      send: async () =>
        presentAssertion(service, await signAssertion(keyed.key, claimsOf(keyed.id))),
    },
    'a string that is no token': {
      needs: [],
      served: 400,
      send: () =>
        service.form('/token', {
          grant_type: 'refresh_token',
          client_id: app.id,
          refresh_token: 'lrt_x',
        }),
    },
    JWKS: get('/.well-known/jwks.json'),
    metadata: get('/.well-known/oauth-authorization-server'),
    '/livez': get('/livez'),
    '/readyz': get('/readyz'),
    '/metrics': get('/metrics'),
  } satisfies Record<string, RowDraft>
}

function describeSessions(
  { app, watcher }: OutageScene,
  service: LineageProcess,
  { going, revoked }: People,
) {
  let refreshToken = going.refresh_token
  const refresh = (token: string) =>
    service.form('/token', { grant_type: 'refresh_token', client_id: app.id, refresh_token: token })
  const accessToken = going.access_token
  const headers = { authorization: `Bearer ${accessToken}` }
  let at = 0
  /** That of the last answer of /revoke, whatever it was. */
  let ended: string | undefined
  return {
    refresh: {
      needs: FAMILIES,
      send: () => refresh(refreshToken),
      took: (body: string) => {
        refreshToken = (JSON.parse(body) as TokenAnswer).refresh_token
      },
    },
    '/introspect': {
      needs: ['familyReads'],
      send: () =>
        service.form('/introspect', {
          client_id: watcher.id,
          client_secret: watcher.secret,
          token: accessToken,
        }),
    },
    '/verify': { needs: ['familyReads'], send: () => service.fetch('/verify', { headers }) },
    '/revoke': {
      needs: [...FAMILIES, 'accountWrites'],
      send: async () => {
        const token = revoked[at] ?? ''
        const answer = await service.form('/revoke', { client_id: app.id, token })
        ended = token
        return answer
      },
      took: () => {
        at = Math.min(at + 1, REVOKED_SESSIONS - 1)
      },
    },
    'refresh of what was revoked': {
      needs: FAMILIES,
      served: 400,
      send: async () => refresh(await until('an answer of /revoke', () => ended)),
    },
  } satisfies Record<string, RowDraft>
}

function describeAccounts(
  { app }: OutageScene,
  service: LineageProcess,
  { going, visitor, adminToken }: People,
) {
  const headers = { authorization: `Bearer ${going.access_token}` }
  const asAdmin = { authorization: `Bearer ${adminToken}` }
  const { username, password } = visitor
  return {
    login: {
      needs: [...NEW_FAMILIES, 'accountReads', 'accountWrites'],
      send: () =>
        service.form('/token', { grant_type: 'password', client_id: app.id, username, password }),
    },
    registration: {
      needs: ['accountReads', 'accountWrites'],
      served: 201,
      send: () => {
        const name = `u-${randomUUID()}`
        const account = { username: name, email: `${name}@example.test`, password: 'correct horse' }
        const body = JSON.stringify(account)
        return service.fetch('/users', { method: 'POST', headers: JSON_HEADERS, body })
      },
    },
    '/users/me': {
      needs: ['familyReads', 'accountReads'],
      send: () => service.fetch('/users/me', { headers }),
    },
    'own sessions': {
      needs: FAMILIES,
      send: () => service.fetch('/users/me/sessions', { headers }),
    },
    'admin: users': {
      needs: ['familyReads', 'accountReads'],
      send: () => service.fetch('/admin/users?limit=5', { headers: asAdmin }),
    },
    'admin: roles of a user': {
      needs: [...FAMILIES, 'accountReads', 'accountWrites'],
      send: () =>
        service.fetch(`/admin/users/${visitor.id}`, {
          method: 'PATCH',
          headers: { ...asAdmin, ...JSON_HEADERS },
          body: JSON.stringify({ roles: [`r-${randomUUID().slice(0, 8)}`] }),
        }),
    },
    'admin: new client': {
      needs: ['familyReads', 'accountWrites'],
      served: 201,
      send: () =>
        service.fetch('/admin/clients', {
          method: 'POST',
          headers: { ...asAdmin, ...JSON_HEADERS },
          body: JSON.stringify({ name: 'A client', type: 'public', grantTypes: ['password'] }),
        }),
    },
  } satisfies Record<string, RowDraft>
}
