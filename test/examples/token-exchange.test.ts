// The service of examples/ that exchanges its caller's token, before the API of examples/: with the policy
// of its README.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import { logIn } from '../support/app.ts'
import { EXAMPLES, startExample, startIssuer } from './example-process.ts'

const FOLDER = join(EXAMPLES, 'token-exchange')

function readPolicy(): ClientInput {
  const page = readFileSync(join(FOLDER, 'README.md'), 'utf8')
  return JSON.parse(/```json\n(.*?)```/s.exec(page)?.[1] ?? '') as ClientInput
}

test('the API is called for the person, until the session of the person ends', async (t) => {
  const { service, issuer } = await startIssuer(t)
  const scopes = ['notes:read', 'notes:write']
  const audiences = ['https://web.example.test']
  await service.makeClient({ id: 'web-app', scopes, defaultScopes: scopes, audiences })
  const client = await service.makeClient(readPolicy())
  const user = await service.makeUser()
  const secretFile = join(t.testdir({}), 'secret')
  writeFileSync(secretFile, `${client.secret}\n`)
  const api = await startExample(t, 'fastify-resource-server/server.mjs', {
    ISSUER: issuer,
    AUDIENCE: 'https://notes.example',
  })
  const url = await startExample(t, 'token-exchange/server.mjs', {
    ISSUER: issuer,
    API: api,
    CLIENT_ID: client.id,
    CLIENT_SECRET_FILE: secretFile,
    AUDIENCE: 'https://notes.example',
    SCOPE: 'notes:read',
  })
  const login = await logIn(service, { id: 'web-app' }, user)
  const headers = { authorization: `Bearer ${login.access_token}` }
  t.equal((await fetch(`${api}/notes`, { headers })).status, 401, 'it is not for the API')
  const answer = await fetch(url, { headers })
  t.match([answer.status, await answer.json()], [200, { owner: user.id, notes: 2 }])
  const anonymous = await fetch(url)
  t.match([anonymous.status, anonymous.headers.get('www-authenticate')], [401, 'Bearer'])
  await service.form('/revoke', { client_id: 'web-app', token: login.refresh_token })
  const late = await fetch(url, { headers })
  const challenge = 'Bearer error="invalid_token"'
  t.match([late.status, late.headers.get('www-authenticate')], [401, challenge])
})
