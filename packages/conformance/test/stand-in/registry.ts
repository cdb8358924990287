// Whom the stand-in knows: its clients and users, each there for one kind of row.

import { exportJWK, type JWK } from 'jose'
import { certifyClient } from '../tested-certificates.ts'
import { makeKeys } from './make-keys.ts'
import { RESOURCE_SCOPE } from './protected-resource.ts'
import type { Client, User } from './state.ts'
import { EXCHANGE_GRANT } from './token-exchange.ts'

const ASSERTION_ALG = 'ES256'
const COMMON: Omit<Client, 'id'> = {
  secrets: [],
  grants: ['password', 'refresh_token', 'client_credentials', EXCHANGE_GRANT],
  scopes: [RESOURCE_SCOPE, 'notes:write'],
  audiences: [],
  idleSeconds: 1800,
  absoluteSeconds: 3600,
}
const FIRST_SECRET = 'the-first-secret-of-some-length'
const SECOND_SECRET = 'the-second-secret-of-some-length'
const OTHER_SECRET = 'another-secret-of-some-length'
/** Characters that Basic has to carry (RFC 6749 §2.3.1). */
const SPECIAL_SECRET = 'a secret+with:more % than letters, ä'
const CERTIFIED = certifyClient('certified')
const BRIEF = { idleSeconds: 2, absoluteSeconds: 5 }

const USERS: readonly User[] = [
  {
    id: 'account-1',
    username: 'ada',
    // Longer than the 72 bytes that some hashes look at, and not only ASCII.
    password: `correct horse battery staple ${'é'.repeat(30)} and some more`,
    email: 'ada@example.test',
    state: 'active',
  },
  {
    id: 'account-2',
    username: 'bob',
    password: 'left the company long ago',
    email: 'bob@example.test',
    state: 'disabled',
  },
  {
    id: 'account-3',
    username: 'eve',
    password: 'has a second factor, too',
    email: 'eve@example.test',
    state: 'second-factor',
  },
]

let assertionKeys: Promise<{ privateJwk: JWK; publicJwk: JWK }> | undefined

/** Once for a process. */
function loadAssertionKeys(): Promise<{ privateJwk: JWK; publicJwk: JWK }> {
  assertionKeys ??= makeAssertionKeys()
  return assertionKeys
}

async function makeAssertionKeys() {
  const { privateKey, publicKey } = makeKeys(ASSERTION_ALG)
  return {
    privateJwk: { ...(await exportJWK(privateKey)), alg: ASSERTION_ALG },
    publicJwk: { ...(await exportJWK(publicKey)), alg: ASSERTION_ALG },
  }
}

export interface Registry {
  readonly clients: ReadonlyMap<string, Client>
  readonly users: readonly User[]
  readonly assertionJwk: JWK
}

/** @param api The resource whose tokens the first client may ask about. */
export async function openRegistry(api: string): Promise<Registry> {
  const { privateJwk, publicJwk } = await loadAssertionKeys()
  const clients: readonly Client[] = [
    { ...COMMON, id: 'svc', secrets: [FIRST_SECRET, SECOND_SECRET], audiences: [api] },
    {
      ...COMMON,
      id: 'other',
      secrets: [OTHER_SECRET],
      grants: ['refresh_token', 'client_credentials'],
    },
    { ...COMMON, id: 'spa', grants: ['password', 'refresh_token'] },
    { ...COMMON, id: 'special:+%', secrets: [SPECIAL_SECRET] },
    { ...COMMON, ...BRIEF, id: 'brief', grants: ['password', 'refresh_token'] },
    { ...COMMON, id: 'signer', assertionKey: publicJwk },
    { ...COMMON, id: 'certified', certificateSubject: 'CN=certified', bindsTokens: true },
    { ...COMMON, id: 'bound', grants: ['password', 'refresh_token'], bindsTokens: true },
  ]
  return {
    clients: new Map(clients.map((client) => [client.id, client])),
    users: USERS,
    assertionJwk: privateJwk,
  }
}

/** As a suite is given them that tests the stand-in. */
export function listCredentials({ assertionJwk }: Registry, api: string) {
  const [user, disabledUser, mfaUser] = USERS.map(({ username, password }) => ({
    username,
    password,
  }))
  return {
    confidentialClient: { id: 'svc', secret: FIRST_SECRET, secondSecret: SECOND_SECRET },
    otherClient: { id: 'other', secret: OTHER_SECRET },
    publicClient: { id: 'spa' },
    specialClient: { id: 'special:+%', secret: SPECIAL_SECRET },
    expiringClient: { id: 'brief', ...BRIEF },
    assertionClient: { id: 'signer', privateJwk: assertionJwk, alg: ASSERTION_ALG },
    certificateClient: CERTIFIED,
    boundClient: { id: 'bound' },
    ...(user && disabledUser && mfaUser ? { user, disabledUser, mfaUser } : {}),
    scope: RESOURCE_SCOPE,
    wideScope: COMMON.scopes.join(' '),
    resource: api,
  }
}
