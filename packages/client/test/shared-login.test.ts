// One login of a real Lineage that many sources and processes share, through a file and without one.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Test, test } from 'tap'
import { logIn, startApp, type TestApp } from '../../../test/support/app.ts'
import { generateDpopKey } from '../src/dpop-prover.ts'
import { createFileCredentials } from '../src/file-credentials.ts'
import type { Credentials, CredentialsStore } from '../src/shared-login.ts'
import { createTokenSource, type TokenSourceOptions } from '../src/token-source.ts'
import { answerJson, issueTokens, startScriptedIssuer } from './scripted-issuer.ts'

const ROOT = join(import.meta.dirname, '../../..')
const PROCESSES = 8
const AUTH = { method: 'none' } as const

const PROCESS = `
import { createFileCredentials, createTokenSource } from 'lineage/client'
const [tokenEndpoint, clientId, path] = process.argv.slice(1)
const credentials = createFileCredentials(path)
const grant = { type: 'refresh_token', credentials }
const source = createTokenSource({ tokenEndpoint, clientId, auth: { method: 'none' }, grant })
process.stdout.write((await source.getToken()).accessToken)
`

async function openLogin(t: Test) {
  const app = await startApp(t)
  const client = await app.makeClient({})
  const user = await app.makeUser()
  const { refresh_token: refreshToken } = await logIn(app, client, user)
  const generation = async () => {
    const answer = await app.admin('GET', `/admin/users/${user.id}/sessions`)
    const { items } = (await answer.json()) as { items: { generation: number; status: string }[] }
    return items.map((session) => `${session.status} ${session.generation}`).join()
  }
  return { app, client, user, refreshToken, generation }
}

function openSource(
  { url }: Pick<TestApp, 'url'>,
  clientId: string,
  credentials: CredentialsStore,
  more: Partial<TokenSourceOptions> = {},
) {
  const grant = { type: 'refresh_token', credentials } as const
  return createTokenSource({ tokenEndpoint: `${url}/token`, clientId, auth: AUTH, grant, ...more })
}

function createMemoryCredentials(first: Credentials): CredentialsStore & { kept: Credentials } {
  const store = {
    kept: first,
    load: async () => store.kept,
    async save(credentials: Credentials) {
      store.kept = credentials
    },
  }
  return store
}

test('processes that begin at once cause one refresh, and have one token', async (t) => {
  const { app, client, refreshToken, generation } = await openLogin(t)
  const path = join(t.testdir({}), 'credentials.json')
  const credentials = createFileCredentials(path)
  t.equal(await credentials.load(), undefined)
  await credentials.save({ refreshToken })
  t.equal(statSync(path).mode & 0o777, 0o600)
  const run = async () => {
    const args = [`${app.url}/token`, client.id, path]
    const program = ['--input-type=module', '-e', PROCESS, '--', ...args]
    // tap would load itself into every Node child.
    const env = { PATH: process.env.PATH }
    const child = spawn(process.execPath, program, { cwd: ROOT, env })
    const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)])
    if (child.exitCode === null) await once(child, 'exit')
    return out || error
  }
  const tokens = new Set(await Promise.all(Array.from({ length: PROCESSES }, run)))
  t.equal(tokens.size, 1, [...tokens].join('\n'))
  t.equal(await generation(), 'active 1')
  const kept = await credentials.load()
  t.ok(tokens.has(kept?.accessToken ?? ''))
  t.not(kept?.refreshToken, refreshToken)
})

test('a scope of its own is got one after the other, and the login goes on', async (t) => {
  const { app, client, refreshToken, generation } = await openLogin(t)
  const store = createMemoryCredentials({ refreshToken })
  const source = openSource(app, client.id, store)
  const resource = 'https://auth.example.test'
  const [usual, narrow] = await Promise.all([source.getToken(), source.getToken({ resource })])
  t.not(usual.accessToken, narrow.accessToken)
  t.equal(store.kept.accessToken, usual.accessToken, 'the usual one is kept')
  t.equal(await generation(), 'active 2')
})

test('without a lock a token that somebody has replaced meanwhile is read again', async (t) => {
  const { app, client, refreshToken, generation } = await openLogin(t)
  const store = createMemoryCredentials({ refreshToken })
  const sources = Array.from({ length: 5 }, () => openSource(app, client.id, store))
  const tokens = await Promise.all(sources.map((source) => source.getToken()))
  for (const { accessToken } of tokens) t.ok(accessToken)
  t.match(await generation(), /^active \d$/)

  // Replaced twice before it is presented: the store gives the one that is good in the end.
  const scripted = await startScriptedIssuer(t, ({ form }, response) => {
    const presented = form.get('refresh_token')
    if (presented === 'old') store.kept = { refreshToken: 'new' }
    if (presented !== 'new') return answerJson(response, 400, { error: 'invalid_grant' })
    const answer = { access_token: 'token', token_type: 'Bearer', expires_in: 60 }
    return answerJson(response, 200, { ...answer, refresh_token: 'newest' })
  })
  store.kept = { refreshToken: 'old' }
  const source = openSource(scripted, client.id, store)
  t.equal((await source.getToken()).accessToken, 'token')
  t.equal(store.kept.refreshToken, 'newest')
  store.kept = { refreshToken: 'ended' }
  const ended = openSource(scripted, client.id, store)
  await t.rejects(ended.getToken(), { name: 'OAuthResponseError', error: 'invalid_grant' })
  t.equal(scripted.requests.length, 3, 'and what is refused in earnest is presented once')
})

test('without a lock a token that was answered with itself replaces no newer one', async (t) => {
  const store = createMemoryCredentials({ refreshToken: 'young' })
  let newer: string | undefined
  const scripted = await startScriptedIssuer(t, ({ form }, response) => {
    if (newer) store.kept = { refreshToken: newer }
    const refresh_token = form.get('refresh_token')
    const answer = { access_token: 'token', token_type: 'Bearer', expires_in: 60, refresh_token }
    return answerJson(response, 200, answer)
  })
  const source = openSource(scripted, 'agent', store)
  t.equal((await source.getToken()).accessToken, 'token')
  t.match(store.kept, { refreshToken: 'young', accessToken: 'token' })
  newer = 'next'
  await source.getToken({ resource: 'https://auth.example.test' })
  t.strictSame(store.kept, { refreshToken: 'next' }, 'which somebody has saved meanwhile')
})

test('a login that has ended is an error, and so is none', async (t) => {
  const { app, client, refreshToken } = await openLogin(t)
  await app.form('/revoke', { token: refreshToken, client_id: client.id })
  const source = openSource(app, client.id, createMemoryCredentials({ refreshToken }))
  await t.rejects(source.getToken(), { name: 'OAuthResponseError', error: 'invalid_grant' })
  const path = join(t.testdir({}), 'credentials.json')
  const nobody = openSource(app, client.id, createFileCredentials(path))
  await t.rejects(nobody.getToken(), { code: 'credentials', message: 'nobody is logged in' })
  writeFileSync(path, '{"refreshToken": secret-that-breaks-json')
  const error = await createFileCredentials(path)
    .load()
    .catch((found) => found)
  t.equal(error.code, 'credentials')
  t.notMatch(`${error.stack}${error.cause}`, /secret-that/)
})

test('what could not be saved is saved before anything else is asked for', async (t) => {
  const { app, client, refreshToken, generation } = await openLogin(t)
  const store = createMemoryCredentials({ refreshToken })
  let isFull = true
  const save = async (credentials: Credentials) => {
    if (isFull) throw new Error('the disk is full')
    store.kept = credentials
  }
  const source = openSource(app, client.id, { load: store.load, save })
  await t.rejects(source.getToken(), { message: 'the disk is full' })
  t.equal(store.kept.refreshToken, refreshToken)
  isFull = false
  // Another scope, because the failure of the first one is given again for a moment.
  await source.getToken({ resource: 'https://auth.example.test' })
  t.equal(await generation(), 'active 2', 'the second refresh was of the first one')
})

test('what could not be saved replaces no login of after it', async (t) => {
  const store = createMemoryCredentials({ refreshToken: 'alice' })
  const scripted = await startScriptedIssuer(t, ({ form }, response) => {
    const refresh_token = `${form.get('refresh_token')}+`
    const answer = { access_token: 'token', token_type: 'Bearer', expires_in: 60, refresh_token }
    answerJson(response, 200, answer)
  })
  let isFull = true
  const save = async (credentials: Credentials) => {
    if (isFull) throw new Error('the disk is full')
    store.kept = credentials
  }
  const source = openSource(scripted, 'agent', { load: store.load, save })
  await t.rejects(source.getToken(), { message: 'the disk is full' })
  isFull = false
  store.kept = { refreshToken: 'bob' }
  await source.getToken({ scope: 'x' })
  t.equal(scripted.requests.at(-1)?.form.get('refresh_token'), 'bob')
  t.strictSame(store.kept.refreshToken, 'bob+')
  const { script } = scripted
  scripted.script = async (...asked) => {
    store.kept = { refreshToken: 'carol' }
    await script(...asked)
  }
  await source.getToken({ scope: 'y' })
  t.strictSame(store.kept, { refreshToken: 'carol' }, 'nor does a refresh under way')
})

test('of others only a token is taken that is for the same, and bound to the same key', async (t) => {
  const scripted = await startScriptedIssuer(t, (request, response, number) => {
    const token_type = request.headers.dpop ? 'DPoP' : 'Bearer'
    return issueTokens({ token_type })(request, response, number)
  })
  const store = createMemoryCredentials({ refreshToken: 'refresh' })
  const get = async (more: Partial<TokenSourceOptions>) =>
    (await openSource(scripted, 'agent', store, more).getToken()).accessToken
  const resource = 'https://a.example.test'
  t.equal(await get({ resource }), 'token-1')
  t.equal(await get({ resource: [resource] }), 'token-1')
  t.equal(await get({ resource: 'https://b.example.test' }), 'token-2')
  t.equal(await get({ resource, scope: 'x y' }), 'token-3')
  t.equal(await get({ resource, scope: 'y x' }), 'token-3')
  const [key, other] = await Promise.all([generateDpopKey(), generateDpopKey()])
  t.equal(await get({ resource, scope: 'x y', dpop: { key } }), 'token-4')
  t.equal(await get({ resource, scope: 'x y', dpop: { key } }), 'token-4')
  t.equal(await get({ resource, scope: 'x y', dpop: { key: other } }), 'token-5')
  t.equal(await get({ resource, scope: 'x y' }), 'token-6')
  const { wanted, ...before } = store.kept
  t.type(wanted, 'string')
  store.kept = before
  t.equal(await get({ resource, scope: 'x y' }), 'token-7', 'one that says nothing of it is not')
})
