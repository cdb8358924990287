// An instance that serves tokens needs no Prisma: it starts, serves and keeps up with the others where
// Prisma cannot be loaded (docs/adr/0018-prisma-where-people-are.md).

import { test } from 'tap'
import { logIn, type TokenAnswer } from '../support/app.ts'
import { refresh, serverEnvironment, startLineage } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

const CONFIDENTIAL = { type: 'confidential', grantTypes: ['client_credentials'] } as const

test('an instance without Prisma starts, refreshes, and sees what another one changes', async (t) => {
  const [{ url }, redis] = await Promise.all([openTestDatabase(t), startRedis(t)])
  const env = serverEnvironment(url, redis.url)
  const whole = await startLineage(t, env)
  const client = await whole.makeClient({})
  const user = await whole.makeUser()
  let tokens: TokenAnswer = await logIn(whole, client, user)

  const lean = await startLineage(t, env, { program: 'test/process/fixtures/without-prisma.ts' })
  const next = async () => {
    const answer = await refresh(lean, client, tokens.refresh_token)
    t.equal(answer.status, 200)
    tokens = (await answer.json()) as TokenAnswer
  }
  await next()
  await next()

  const machine = await whole.makeClient({ ...CONFIDENTIAL, scopes: ['lineage:introspect'] })
  const credentials = { client_id: machine.id, client_secret: machine.secret }
  const grant = { grant_type: 'client_credentials', ...credentials }
  await until('the new client', async () => (await lean.form('/token', grant)).status === 200)
  const question = { ...credentials, token: tokens.access_token }
  const introspected = await (await lean.form('/introspect', question)).json()
  t.match(introspected, { active: true, sub: user.id })

  const { kid } = (await (await whole.admin('POST', '/admin/keys/rotate', {})).json()) as {
    kid: string
  }
  const jwks = async () => await (await lean.fetch('/.well-known/jwks.json')).text()
  await until('the new key', async () => (await jwks()).includes(kid))

  const revoked = await lean.form('/revoke', { client_id: client.id, token: tokens.refresh_token })
  t.equal(revoked.status, 200)
  t.equal((await refresh(whole, client, tokens.refresh_token)).status, 400)

  const impossible = await lean.admin('GET', '/admin/users')
  t.equal(impossible.status, 500, 'what needs Prisma shows that there is none')
})
