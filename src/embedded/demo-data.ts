// The demo user and clients of embedded mode: made once, written to demo.json, never touched again
// (docs/semantics.md §19).

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { ClientInput } from '../clients/client-draft.ts'
import { matchesClientSecret } from '../clients/client-secret.ts'
import type { ClientStore } from '../clients/client-store.ts'
import type { ClientTable } from '../clients/client-table.ts'
import { ADMIN_SCOPE } from '../oauth/role-bound-scope.ts'
import type { PasswordHasher } from '../users/password-hasher.ts'
import { parseEmail, parseUsername } from '../users/user-names.ts'
import type { UserStore } from '../users/user-store.ts'
import { readIfThere, writePrivateFile } from './private-file.ts'

export interface DemoData {
  readonly issuer: string
  readonly user: { readonly username: string; readonly password: string }
  readonly publicClient: { readonly id: string }
  readonly confidentialClient: { readonly id: string; readonly secret: string }
  readonly adminClient: { readonly id: string; readonly secret: string }
}

export interface DemoDataDependencies {
  readonly dataDir: string
  readonly issuer: string
  readonly clientStore: ClientStore
  readonly users: UserStore
  readonly hasher: PasswordHasher
}

const PUBLIC_CLIENT = 'demo-app'
const CONFIDENTIAL_CLIENT = 'demo-service'
const ADMIN_CLIENT = 'demo-admin'
const USERNAME = 'demo'

/** Reads demo.json, or makes it. After a change of the port only the issuer is another one. */
export async function openDemoData(dependencies: DemoDataDependencies): Promise<DemoData> {
  const { dataDir, issuer, clientStore } = dependencies
  const known = await readDemoData(dataDir)
  if (known?.issuer === issuer) return known
  const demo = known ? { ...known, issuer } : await createDemoData(dependencies)
  // /admin takes only tokens that are addressed to the issuer, which follows the port.
  await clientStore.patch(ADMIN_CLIENT, { audiences: [issuer] })
  await writePrivateFile(demoFileOf(dataDir), `${JSON.stringify(demo, null, 2)}\n`)
  return demo
}

/** Entries of demo.json that are no longer true, because somebody replaced or deleted them. */
export interface DemoStale {
  readonly user: boolean
  readonly service: boolean
  readonly admin: boolean
}

/** Asks the stores, so that no secret is printed that somebody has replaced. */
export async function findStaleDemo(
  demo: DemoData,
  {
    clients,
    users,
    hasher,
  }: Pick<DemoDataDependencies, 'users' | 'hasher'> & {
    readonly clients: Pick<ClientTable, 'find'>
  },
): Promise<DemoStale> {
  const isStale = async ({ id, secret }: { readonly id: string; readonly secret: string }) => {
    const hashes = (await clients.find(id))?.secrets.map(({ hash }) => hash) ?? []
    return !matchesClientSecret(secret, hashes)
  }
  const username = parseUsername(demo.user.username)
  const known = username && (await users.findForLogin({ usernameKey: username.key }))
  const { matches } = await hasher.verify(known?.passwordHash, demo.user.password)
  return {
    user: !matches,
    service: await isStale(demo.confidentialClient),
    admin: await isStale(demo.adminClient),
  }
}

/** Undefined before the first start has completed. */
export async function readDemoData(dataDir: string): Promise<DemoData | undefined> {
  const text = await readIfThere(demoFileOf(dataDir))
  return text === undefined ? undefined : (JSON.parse(text) as DemoData)
}

function demoFileOf(dataDir: string): string {
  return join(dataDir, 'demo.json')
}

async function createDemoData(dependencies: DemoDataDependencies): Promise<DemoData> {
  const { issuer, clientStore } = dependencies
  const password = await createDemoUser(dependencies)
  const scopes = ['notes:read', 'notes:write']
  await createClient(clientStore, PUBLIC_CLIENT, {
    name: 'Demo app',
    type: 'public',
    grantTypes: ['password', 'refresh_token'],
    scopes,
    defaultScopes: scopes,
  })
  const confidentialSecret = await createClient(clientStore, CONFIDENTIAL_CLIENT, {
    name: 'Demo service',
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: [...scopes, 'lineage:introspect'],
    defaultScopes: ['notes:read'],
  })
  const adminSecret = await createClient(clientStore, ADMIN_CLIENT, {
    name: 'Demo admin',
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: [ADMIN_SCOPE],
    defaultScopes: [ADMIN_SCOPE],
    audiences: [issuer],
  })
  return {
    issuer,
    user: { username: USERNAME, password },
    publicClient: { id: PUBLIC_CLIENT },
    confidentialClient: { id: CONFIDENTIAL_CLIENT, secret: confidentialSecret },
    adminClient: { id: ADMIN_CLIENT, secret: adminSecret },
  }
}

/** Replaces the client that a start left behind which died before demo.json was written. */
async function createClient(store: ClientStore, id: string, input: ClientInput): Promise<string> {
  await store.delete(id)
  const created = await store.create({ ...input, id })
  if (!created.ok) throw new Error(`the demo client ${id} is not valid`)
  return created.value.clientSecret ?? ''
}

async function createDemoUser({ users, hasher }: DemoDataDependencies): Promise<string> {
  const password = randomBytes(12).toString('base64url')
  const username = parseUsername(USERNAME)
  const email = parseEmail('demo@example.com')
  if (!username || !email) throw new Error('the demo user is not valid')
  const passwordHash = await hasher.hash(password)
  const known = await users.findForLogin({ usernameKey: username.key })
  if (known) await users.setPassword(known.user.id, passwordHash)
  else await users.create({ username, email, passwordHash, emailVerified: true })
  return password
}

/**
 * Lines that work when they are pasted one after another into a POSIX shell; in zsh too, which
 * takes pasted comments for commands, so there is no quotation mark in one. Where a secret is stale
 * a variable of the shell stands for it.
 */
export function formatDemoCommands(demo: DemoData, stale: DemoStale): string {
  const { issuer, user, publicClient, confidentialClient: service, adminClient: admin } = demo
  const password = stale.user ? '"$PASSWORD"' : user.password
  const basic = `-u ${service.id}:${stale.service ? '"$SERVICE_SECRET"' : service.secret}`
  const asAdmin = `-u ${admin.id}:${stale.admin ? '"$ADMIN_SECRET"' : admin.secret}`
  const pick = (member: string) => `sed -n 's/.*"${member}":"\\([^"]*\\)".*/\\1/p'`
  const refresh = (from: string) =>
    `curl -s ${issuer}/token -d grant_type=refresh_token -d client_id=${publicClient.id} -d refresh_token=$${from}`
  const replaced = [
    ...(stale.user ? [`# The password of ${user.username} was replaced: set PASSWORD`] : []),
    ...(stale.service ? [`# The secret of ${service.id} was replaced: set SERVICE_SECRET`] : []),
    ...(stale.admin ? [`# The secret of ${admin.id} was replaced: set ADMIN_SECRET`] : []),
  ]
  return `Lineage is running. Issuer: ${issuer}
All of its interface is described at ${issuer}/docs

${replaced.map((line) => `${line}\n`).join('')}# Log in: an access token and the first refresh token of a family
A=$(curl -s ${issuer}/token -d grant_type=password -d client_id=${publicClient.id} -d username=${user.username} -d password=${password}); echo "$A"
R0=$(echo "$A" | ${pick('refresh_token')})

# Refresh, twice: every refresh token is used once
B=$(${refresh('R0')}); echo "$B"; R1=$(echo "$B" | ${pick('refresh_token')})
C=$(${refresh('R1')}); echo "$C"; R2=$(echo "$C" | ${pick('refresh_token')})

# Ask for the state of the newest access token, while its family lives
curl -s ${issuer}/introspect ${basic} -d token=$(echo "$C" | ${pick('access_token')}); echo

# Replay the first refresh token: reuse is detected, and the family ends with its newest token
${refresh('R0')}; echo
${refresh('R2')}; echo

# A token for a service itself
curl -s ${issuer}/token ${basic} -d grant_type=client_credentials; echo

# The admin client, and what it may ask: all users
T=$(curl -s ${issuer}/token ${asAdmin} -d grant_type=client_credentials | ${pick('access_token')})
curl -s ${issuer}/admin/users -H "Authorization: Bearer $T"; echo

# The keys that verify all of them
curl -s ${issuer}/.well-known/jwks.json; echo
`
}
