// `lineage keys …`: what a running instance signs with, what a gateway can verify with, and a
// rotation that instances learn of.

import { createPublicKey } from 'node:crypto'
import { jwtVerify } from 'jose'
import { type Test, test } from 'tap'
import { ADMIN, startApp, type TestApp, type TokenAnswer } from '../support/app.ts'
import { runCommand, runHere, runJson } from '../support/command-line.ts'
import { serverEnvironment } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { rootSecretOf, secretKeyOf } from '../support/root-secrets.ts'
import { until } from '../support/until.ts'

interface Key {
  readonly kid: string
  readonly state: string
  readonly pem: string
}

async function openScene(t: Test) {
  const app = await startApp(t)
  return { app, env: serverEnvironment(app.databaseUrl) }
}

async function makeToken(app: TestApp): Promise<string> {
  const parameters = {
    grant_type: 'client_credentials',
    client_id: ADMIN.id,
    client_secret: ADMIN.secret,
  }
  return ((await (await app.form('/token', parameters)).json()) as TokenAnswer).access_token
}

const servedKids = async (app: TestApp) => {
  const set = (await (await app.fetch('/.well-known/jwks.json')).json()) as { keys: Key[] }
  return set.keys.map(({ kid }) => kid)
}

test('an exported PEM verifies the tokens of a running instance', async (t) => {
  const { app, env } = await openScene(t)
  const { code, stdout } = await runCommand(t, env, ['keys', 'export', '--pem'])
  t.equal(code, 0)
  t.match(stdout, /^-----BEGIN PUBLIC KEY-----\n.+\n-----END PUBLIC KEY-----\n$/s)
  const token = await makeToken(app)
  t.match(await jwtVerify(token, createPublicKey(stdout)), { payload: { client_id: ADMIN.id } })
  const served = await (await app.fetch('/.well-known/jwks.json')).json()
  t.strictSame(JSON.parse((await runHere(env, ['keys', 'export'])).stdout), served)
})

test('rotate publishes the next key, once, and instances serve it after their poll', async (t) => {
  const { app, env } = await openScene(t)
  const [active] = await runJson<Key[]>(t, env, ['keys', 'list'])
  t.match(active, { alg: 'ES256', state: 'active', retireAt: null })
  const next = await runJson<Key>(t, env, ['keys', 'rotate'])
  t.match(next, { state: 'next', created: true })
  const isServed = async () => (await servedKids(app)).includes(next.kid)
  await until('the next key in JWKS', isServed)
  const again = await runHere(env, ['keys', 'rotate', '--json'])
  t.match(JSON.parse(again.stdout), { kid: next.kid, created: false })
  t.match(again.stderr, /waits already/)

  const pems = JSON.parse((await runHere(env, ['keys', 'export', '--pem', '--json'])).stdout)
  t.match(pems, [
    { kid: active?.kid, state: 'active' },
    { kid: next.kid, state: 'next' },
  ])
  const one = await runHere(env, ['keys', 'export', '--pem', '--kid', next.kid])
  t.equal(one.stdout, pems[1].pem)
  const byAlg = await runHere(env, ['keys', 'export', '--pem', '--alg', 'ES256'])
  t.equal(byAlg.stdout.match(/BEGIN PUBLIC KEY/g)?.length, pems.length)
  t.match(await runHere(env, ['keys', 'export', '--alg', 'RS256']), { code: 1, stdout: '' })
  const none = await runHere(env, ['keys', 'export', '--kid', 'none'])
  t.match(none, { code: 1, stdout: '', stderr: /no such key/ })
  const { stdout } = await runHere(env, ['events', 'tail', '--type', 'key.published'])
  t.match(stdout, `key.published by=lineage:cli alg=ES256 kid=${next.kid}`)
})

test('rotate --compromised takes the old keys away from every instance', async (t) => {
  const { app, env } = await openScene(t)
  const token = await makeToken(app)
  const [old] = await servedKids(app)
  const fresh = await runJson<Key>(t, env, ['keys', 'rotate', '--compromised'])
  t.match(fresh, { state: 'active', created: true })
  const isGone = async () => !(await servedKids(app)).includes(old ?? '')
  await until('the old key out of JWKS', isGone)
  t.strictSame(await servedKids(app), [fresh.kid])
  const answer = await app.fetch('/admin/keys', { headers: { authorization: `Bearer ${token}` } })
  t.equal(answer.status, 401)
  t.match(await runHere(env, ['keys', 'list']), {
    stdout: /^KID +ALG +STATE .*\n\S+ +ES256 +active .*\n$/,
  })
})

test('list and export only read: no key is made where there is none', async (t) => {
  const env = serverEnvironment((await openTestDatabase(t)).url)
  t.strictSame(await runJson(t, env, ['keys', 'list']), [])
  const exported = await runHere(env, ['keys', 'export', '--pem'])
  t.match(exported, { code: 1, stdout: '', stderr: /there is no key yet/ })
})

test('a key that was due anyway is not said to have been asked for', async (t) => {
  const env = serverEnvironment((await openTestDatabase(t)).url)
  const asked = await runJson<Key>(t, env, ['keys', 'rotate'])
  t.match(asked, { state: 'next', created: true })
  const [first] = await runJson<Key[]>(t, env, ['keys', 'list'])
  const { stdout } = await runHere(env, ['events', 'tail', '--type', 'key.published', '--json'])
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.strictSame(
    events.map(({ detail }) => detail),
    [
      { kid: first?.kid, alg: 'ES256' },
      { kid: asked.kid, alg: 'ES256', by: 'lineage:cli' },
    ],
  )
})

test('a root secret that opens no key is told of', async (t) => {
  const { env } = await openScene(t)
  const other = secretKeyOf(rootSecretOf(3))
  const result = await runHere({ ...env, LINEAGE_SECRET_KEY: other }, ['keys', 'list'])
  t.match(result, { code: 1, stdout: '', stderr: /no secret of LINEAGE_SECRET_KEY decrypts it/ })
  t.notMatch(result.stderr, other)
})
