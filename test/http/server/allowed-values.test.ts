// A list refuses parameters that it does not have: a filter that is misspelt would answer with
// everything, and nobody would notice. What is allowed is said.

import { test } from 'tap'
import { GRANT_TYPES } from '../../../src/grants/grants.ts'
import { ISSUER, logIn, startApp } from '../../support/app.ts'

test('every list refuses an unknown query parameter, and names those that it has', async (t) => {
  const app = await startApp(t)
  const user = await app.makeUser()
  const client = await app.makeClient({ audiences: [ISSUER] })
  const { access_token: token } = await logIn(app, client, user)
  const webhook = await app.admin('POST', '/admin/webhooks', {
    url: 'https://hooks.example.test/',
    events: ['login.failed'],
  })
  const { id } = (await webhook.json()) as { id: string }
  const page = 'limit, cursor'
  const lists: [path: string, parameters: string][] = [
    ['/admin/users', `${page}, username, email, status`],
    [`/admin/users/${user.id}/sessions`, `${page}, status`],
    ['/admin/clients', page],
    ['/admin/keys', page],
    ['/admin/events', `${page}, type, subject, clientId, sessionId, since, until`],
    ['/admin/webhooks', page],
    ['/admin/trusted-issuers', page],
    [`/admin/webhooks/${id}/deliveries`, `${page}, status`],
    ['/users/me/sessions', `${page}, status`],
  ]
  for (const [path, parameters] of lists) {
    const headers = { authorization: `Bearer ${token}` }
    const ask = (query: string) =>
      path.startsWith('/users')
        ? app.fetch(`${path}${query}`, { headers })
        : app.admin('GET', `${path}${query}`)
    t.equal((await ask('?limit=1')).status, 200, path)
    for (const query of ['?stauts=active', '?limit=1&offset=2', '?Limit=1', '?=', '?evil%0a=1']) {
      const answer = await ask(query)
      const detail = `The query parameters here are ${parameters}.`
      t.match([answer.status, await answer.json()], [400, { code: 'invalid_query', detail }])
    }
  }
})

test('a value that is none of a few is answered with those that there are', async (t) => {
  const app = await startApp(t)
  const { id } = await app.makeUser()
  const detail = async (method: string, path: string, body: object) => {
    const answer = await app.admin(method, path, body)
    const { errors } = (await answer.json()) as { errors: { pointer: string; detail: string }[] }
    return [answer.status, errors[0]?.pointer, errors[0]?.detail]
  }
  t.strictSame(await detail('PATCH', `/admin/users/${id}`, { status: 'evil' }), [
    422,
    '/status',
    'must be one of active, disabled',
  ])
  const client = { name: 'A', type: 'public', grantTypes: ['evil'] }
  t.strictSame(await detail('POST', '/admin/clients', client), [
    422,
    '/grantTypes/0',
    `must be one of ${GRANT_TYPES.join(', ')}`,
  ])
})
