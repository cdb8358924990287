import { test } from 'tap'
import { authenticateClient } from '../../src/client-auth/authenticate-client.ts'
import type { Client, ClientId } from '../../src/clients/client.ts'
import type { OAuthReason } from '../../src/oauth/oauth-error.ts'
import { NO_THROTTLE } from '../../src/throttle/throttle.ts'
import { clientWith, NO_ASSERTIONS, NO_TRUST, NOW, requestWith } from '../scenes/client-fixtures.ts'
import { countComparisons } from '../support/counted-comparisons.ts'

const CLIENTS = [
  clientWith({ id: 'both' as ClientId }, 'first', 'second'),
  clientWith({ id: 'basic' as ClientId, authMethods: ['client_secret_basic'] }, 'first'),
  clientWith({ id: 'post' as ClientId, authMethods: ['client_secret_post'] }, 'first'),
  clientWith({ id: 'open' as ClientId, type: 'public', authMethods: ['none'] }),
  // It was confidential once; its secrets count for nothing now.
  clientWith({ id: 'opened' as ClientId, type: 'public', authMethods: ['none'] }, 'first'),
  clientWith({ id: 'bare' as ClientId }),
]

const clients = {
  find: async (id: string): Promise<Client | undefined> => CLIENTS.find((one) => one.id === id),
}

/** `method` says how the credentials travel. */
function authenticate(method: string, clientId: string, secret = '') {
  const isBasic = method === 'client_secret_basic'
  const parts = {
    authorization: isBasic
      ? `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`
      : undefined,
    clientId: isBasic ? undefined : clientId,
    clientSecret: method === 'client_secret_post' ? secret : undefined,
  }
  return authenticateClient(
    requestWith(parts),
    {
      clients,
      throttle: NO_THROTTLE,
      assertions: NO_ASSERTIONS,
      trust: NO_TRUST,
      clock: () => NOW,
    },
    () => ({ ip: '192.0.2.1' }),
  )
}

const BASIC = 'client_secret_basic'
const POST = 'client_secret_post'

const accepted: [method: string, clientId: string, secret?: string][] = [
  [BASIC, 'both', 'first'],
  [BASIC, 'both', 'second'],
  [POST, 'both', 'first'],
  [POST, 'both', 'second'],
  [BASIC, 'basic', 'first'],
  [POST, 'post', 'first'],
  ['none', 'open'],
  ['none', 'opened'],
  // `curl -u open:`, and what x/oauth2, requests-oauthlib and Swagger UI send.
  [BASIC, 'open', ''],
]

for (const [method, clientId, secret] of accepted) {
  test(`${clientId} may use ${method} with ${secret ?? 'nothing'} (C25 C30)`, async (t) => {
    t.match(await authenticate(method, clientId, secret), { id: clientId })
  })
}

const refused: [method: string, clientId: string, secret: string, reason: OAuthReason][] = [
  [BASIC, 'both', 'third', 'client_secret_wrong'],
  [BASIC, 'both', '', 'client_secret_missing'],
  [POST, 'both', 'First', 'client_secret_wrong'],
  [POST, 'bare', 'first', 'client_secret_wrong'],
  [BASIC, 'bare', '', 'client_secret_missing'],
  ['none', 'both', '', 'client_secret_missing'],
  ['none', 'bare', '', 'client_secret_missing'],
  [POST, 'basic', 'first', 'client_method_not_allowed'],
  [BASIC, 'post', 'first', 'client_method_not_allowed'],
  [BASIC, 'open', 'first', 'client_method_not_allowed'],
  [POST, 'open', 'first', 'client_method_not_allowed'],
  [POST, 'opened', 'first', 'client_method_not_allowed'],
  [BASIC, 'opened', 'first', 'client_method_not_allowed'],
  [BASIC, 'nobody', 'first', 'client_unknown'],
  [BASIC, 'nobody', '', 'client_unknown'],
  [POST, 'nobody', 'first', 'client_unknown'],
  ['none', 'nobody', '', 'client_unknown'],
  [BASIC, '__proto__', 'first', 'client_unknown'],
]

for (const [method, clientId, secret, reason] of refused) {
  test(`${clientId} may not use ${method} with '${secret}': ${reason} (C28)`, async (t) => {
    const expected = { reason, code: 'invalid_client', status: 401 }
    await t.rejects(authenticate(method, clientId, secret), expected)
  })
}

test('every refusal says the same in public', async (t) => {
  const told = new Set<string>()
  for (const [method, clientId, secret] of refused) {
    const error = await authenticate(method, clientId, secret).catch((caught) => caught)
    told.add(`${error.status} ${error.code} ${error.description}`)
  }
  t.equal(told.size, 1)
})

test('an unknown client costs the comparisons of a wrong secret (C29)', async (t) => {
  const comparisons = countComparisons(t)
  for (const [method, clientId, secret] of refused) {
    const compared = await comparisons(() => authenticate(method, clientId, secret).catch(() => {}))
    t.equal(compared, secret === '' ? 0 : 2, `${method} ${clientId}`)
  }
})
