// What a token exchange refuses by its form and its policy: the public answer and the logged reason
// (RFC 8693 §2.1, §2.2.2, docs/semantics.md §25).

import { test } from 'tap'
import { type Attack, asking, runAttacks } from '../../scenes/exchange-attacks.ts'
import { ACCESS_TOKEN, BILLING, ORDERS } from '../../scenes/exchange-scene.ts'
import { logIn } from '../../support/app.ts'

const BAD_TYPE = {
  error: 'invalid_request',
  error_description: 'A token type is not supported.',
}
const BAD_TARGET = {
  error: 'invalid_target',
  error_description: 'The requested resource is invalid or may not be addressed.',
}
const BAD_SCOPE = {
  error: 'invalid_scope',
  error_description: 'The requested scope is invalid or exceeds what may be granted.',
}
const NOT_ALLOWED = {
  error: 'unauthorized_client',
  error_description: 'The client may not use this grant type.',
}
const missing = (name: string) => ({
  error: 'invalid_request',
  error_description: `A required parameter is missing: ${name}.`,
})

const FORMS: Readonly<Record<string, Attack>> = {
  'no subject_token': {
    body: missing('subject_token'),
    reason: 'parameter_missing',
    run: asking({ subject_token: undefined }),
  },
  'no subject_token_type': {
    body: missing('subject_token_type'),
    reason: 'parameter_missing',
    run: asking({ subject_token_type: undefined }),
  },
  'an actor_token without its type': {
    body: missing('actor_token_type'),
    reason: 'parameter_missing',
    run: asking({ actor_token: 'x' }),
  },
  'an actor_token_type without a token': {
    body: missing('actor_token'),
    reason: 'parameter_missing',
    run: asking({ actor_token_type: ACCESS_TOKEN }),
  },
  'a subject of another type': {
    body: BAD_TYPE,
    reason: 'exchange_token_type_unsupported',
    run: asking({ subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }),
  },
  'an actor of another type': {
    body: BAD_TYPE,
    reason: 'exchange_token_type_unsupported',
    run: asking({ actor_token: 'x', actor_token_type: 'urn:ietf:params:oauth:token-type:saml2' }),
  },
  'a refresh token is asked for': {
    body: BAD_TYPE,
    reason: 'exchange_token_type_unsupported',
    run: asking({ requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }),
  },
  'a client without the grant': {
    body: NOT_ALLOWED,
    reason: 'grant_type_not_allowed',
    run: asking({}, 'batch'),
  },
  'a client without a policy': {
    body: NOT_ALLOWED,
    reason: 'exchange_no_policy',
    run: asking({}, 'bare'),
  },
  'a public client': {
    body: NOT_ALLOWED,
    reason: 'grant_type_not_allowed',
    run: asking({ client_id: 'web', client_secret: undefined }),
  },
  'another audience': {
    body: BAD_TARGET,
    reason: 'exchange_target_not_allowed',
    run: asking({ audience: 'payroll' }),
  },
  'a resource spelt otherwise': {
    body: BAD_TARGET,
    reason: 'exchange_target_not_allowed',
    run: asking({ resource: `${ORDERS}/` }),
  },
  'two targets': {
    body: BAD_TARGET,
    reason: 'exchange_target_not_allowed',
    run: asking({ resource: ORDERS, audience: BILLING }),
  },
  'a resource that is no URI': {
    body: BAD_TARGET,
    reason: 'resource_malformed',
    run: asking({ resource: 'orders' }),
  },
  'a scope that the policy lacks': {
    body: BAD_SCOPE,
    reason: 'exchange_scope_wider',
    run: asking({ scope: 'orders:read profile' }),
  },
  'a scope of Lineage itself': {
    body: BAD_SCOPE,
    reason: 'exchange_scope_wider',
    run: async (scene) => {
      const { app, user } = scene
      const { access_token: token } = await logIn(app, { id: 'web' }, user, {
        scope: 'orders:read lineage:admin',
      })
      return await scene.exchange(token, { scope: 'lineage:admin' })
    },
  },
  'a scope that the subject token lacks': {
    body: BAD_SCOPE,
    reason: 'exchange_scope_wider',
    run: async (scene) => {
      const token = await scene.ownToken('batch', { scope: 'orders:read' })
      return await scene.exchange(token, { scope: 'orders:write' })
    },
  },
}

for (const store of ['postgresql', 'redis'] as const) {
  test(`a form that is wrong, or that no policy covers, with families in ${store}`, async (t) => {
    await runAttacks(t, store, FORMS)
  })
}
