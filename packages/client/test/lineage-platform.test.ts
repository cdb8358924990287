// The token source beside a real Lineage that trusts a platform: a workload that it vouches for, and a person.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { startIssuer } from '../../../test/examples/example-process.ts'
import { makeWorkload, type Platform, trustPlatform } from '../../../test/scenes/platform-scene.ts'
import { createVerifier } from '../../verify/src/verifier.ts'
import { createTokenClient } from '../src/token-client.ts'
import { createTokenSource } from '../src/token-source.ts'

const AUDIENCE = 'https://notes.example.test'
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const REFUSED = { name: 'OAuthResponseError', error: 'invalid_client', status: 401 }

test('a workload and a person whom another issuer vouches for get tokens that an API takes', async (t) => {
  const { service, issuer } = await startIssuer(t)
  const verifier = createVerifier({ issuer, audience: AUDIENCE })
  const own = { scopes: ['notes:read'], defaultScopes: ['notes:read'], audiences: [AUDIENCE] }
  const tokenOf = (platform: Platform, claims: object = {}) =>
    platform.token({ claims: { aud: issuer, ...claims } })

  await t.test('by the token in a file, which a pod presents again and again', async (t) => {
    const cluster = await trustPlatform(service, 'kubernetes')
    const clientId = await makeWorkload(service, cluster, {}, own)
    const file = join(t.testdir({}), 'token')
    writeFileSync(file, `${await tokenOf(cluster)}\n`)
    const auth = { method: 'federated', token: { file } } as const
    const client = createTokenClient({ issuer, clientId, auth })
    for (const { accessToken } of [
      await client.clientCredentials(),
      await client.clientCredentials({ scope: 'notes:read' }),
    ]) {
      t.match(await verifier.verifyToken(accessToken), { sub: clientId, client_id: clientId })
    }
    const source = createTokenSource({ issuer, clientId, auth, dpop: true })
    t.match(await source.getToken(), { tokenType: 'DPoP' }, 'and bound to a key')
    const sub = 'system:serviceaccount:jobs:daily'
    writeFileSync(file, await tokenOf(cluster, { sub }))
    await t.rejects(client.clientCredentials(), REFUSED, 'another service account')
    writeFileSync(file, await cluster.token())
    await t.rejects(client.clientCredentials(), REFUSED, 'a token for somebody else')
  })

  await t.test('by a token that is asked for each time, because it is good once', async (t) => {
    const github = await trustPlatform(service, 'github')
    const clientId = await makeWorkload(service, github, {}, own)
    const token = () => tokenOf(github)
    const auth = { method: 'federated', token } as const
    const client = createTokenClient({ issuer, clientId, auth })
    await client.clientCredentials()
    await client.clientCredentials()
    const once = await token()
    const again = createTokenClient({ issuer, clientId, auth: { ...auth, token: once } })
    await again.clientCredentials()
    await t.rejects(again.clientCredentials(), REFUSED)
  })

  await t.test('a person of ours, by an assertion about them (RFC 7523 §2.1)', async (t) => {
    const user = await service.makeUser()
    const subjects = { mode: 'users', claim: 'lineage_user', match: 'id' }
    const idp = await trustPlatform(service, 'oidc', { id: 'idp', subjects })
    const { id: clientId, secret } = await service.makeClient({
      ...own,
      type: 'confidential',
      grantTypes: [JWT_BEARER],
    })
    const assertion = () => tokenOf(idp, { lineage_user: user.id })
    const source = createTokenSource({
      issuer,
      clientId,
      auth: { method: 'client_secret_basic', secret },
      grant: { type: 'jwt_bearer', assertion },
    })
    const token = await source.getToken()
    t.equal(token.refreshToken, undefined)
    const claims = await verifier.verifyToken(token.accessToken)
    t.match(claims, { sub: user.id, client_id: clientId, amr: ['fed'], scope: 'notes:read' })
    t.equal((await source.getToken()).accessToken, token.accessToken, 'and kept')
    const nobody = { name: 'OAuthResponseError', error: 'invalid_grant', status: 400 }
    await t.rejects(
      source.client.jwtBearer(() => tokenOf(idp)),
      nobody,
      'about nobody',
    )
    const once = await assertion()
    await source.client.jwtBearer(once)
    await t.rejects(source.client.jwtBearer(once), nobody, 'good once')
  })
})
