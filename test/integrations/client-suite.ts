// What any OAuth client library is put through against a running Lineage. Each library brings a
// driver that says how its own calls are made; nothing here sends a token request by itself.

import { decodeJwt } from 'jose'
import { type Test, test } from 'tap'
import {
  API,
  makeConfidentialClient,
  OTHER_API,
  type Scene,
  startScene,
} from '../scenes/integration-scene.ts'
import { readTable } from '../support/documented.ts'

export interface Tokens {
  readonly accessToken: string
  /** As the library gives it, which may change its case. */
  readonly tokenType: string
  readonly expiresIn: number
  readonly scope: string
  readonly refreshToken: string | undefined
}

export interface TokenWishes {
  readonly scope?: string
  readonly resource?: string | readonly string[]
}

/** One client of Lineage in the hands of the library. */
export interface LibraryClient {
  requestByCredentials(wishes?: TokenWishes): Promise<Tokens>
  logIn(username: string, password: string, wishes?: TokenWishes): Promise<Tokens>
  refresh(refreshToken: string, wishes?: TokenWishes): Promise<Tokens>
  revoke(token: string, kind: 'access_token' | 'refresh_token'): Promise<void>
  /** Absent where the library cannot. */
  introspect?(token: string): Promise<Record<string, unknown>>
}

export interface ClientSettings {
  readonly issuer: string
  readonly id: string
  /** Empty for a public client. */
  readonly secret: string
  readonly method: string
}

export interface ClientLibrary {
  readonly name: string
  /** The metadata from each of the places where the library looks; absent where it does not. */
  readonly discover?: (issuer: string) => Promise<Record<string, unknown>[]>
  readonly open: (settings: ClientSettings) => Promise<LibraryClient>
  /** The `error` of an answer, out of an error of the library's own; throws for another one. */
  readonly codeOf: (error: unknown) => string | Promise<string>
  /** Whether Basic carries id and secret form-encoded (RFC 6749 §2.3.1). */
  readonly encodesBasic: boolean
  /** Whether a request may name more than one resource (RFC 8707 §2). */
  readonly repeatsResource: boolean
  /** Ends what the library keeps running; at the end of each test. */
  readonly close?: () => void
}

/** Of the characters that mean something in a form or in Basic; for the bootstrap admin client. */
const AWKWARD_SECRET = '100% a+b=c&d:e/f "%41" (of 32 characters)!'

export function runClientSuite(library: ClientLibrary): void {
  const { name } = library
  if (library.discover) {
    test(`${name}: discovery finds every endpoint (RFC 8414)`, (t) => checkDiscovery(t, library))
  }
  for (const method of ['client_secret_basic', 'client_secret_post'] as const) {
    test(`${name}: client credentials by ${method}, scope and resource`, (t) =>
      checkClientCredentials(t, library, method))
  }
  test(`${name}: a password login, rotation, and the end of a replayed token (C53)`, (t) =>
    checkRotation(t, library))
  test(`${name}: a public client logs in and refreshes`, (t) => checkPublicClient(t, library))
  test(`${name}: a token that it revokes is over (RFC 7009)`, (t) => checkRevocation(t, library))
  test(`${name}: refusals come as its own errors with the right code`, (t) =>
    checkErrors(t, library))
  test(`${name}: a secret of awkward characters (RFC 6749 §2.3.1)`, (t) => checkSecret(t, library))
}

function checkLine(t: Test, library: ClientLibrary, client: LibraryClient): void {
  t.match(readTable('Client libraries').get(library.name), {
    Discovery: library.discover ? 'yes' : 'no',
    Introspection: client.introspect ? 'yes' : 'no',
    'Several resources': library.repeatsResource ? 'yes' : 'no',
    'Encodes Basic': library.encodesBasic ? 'yes' : 'no',
  })
}

async function checkDiscovery(t: Test, library: ClientLibrary): Promise<void> {
  const { issuer } = await startScene(t)
  const documents = (await library.discover?.(issuer)) ?? []
  t.ok(documents.length > 0)
  for (const document of documents) {
    t.match(document, {
      issuer,
      token_endpoint: `${issuer}/token`,
      revocation_endpoint: `${issuer}/revoke`,
      introspection_endpoint: `${issuer}/introspect`,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
    })
  }
  library.close?.()
}

async function checkClientCredentials(
  t: Test,
  library: ClientLibrary,
  method: 'client_secret_basic' | 'client_secret_post',
): Promise<void> {
  const { open } = opener(t, library, await startScene(t))
  // The client takes this method alone: what passes was sent in this way.
  const client = await open({ method, authMethods: [method] })
  const plain = await client.requestByCredentials()
  t.equal(plain.tokenType.toLowerCase(), 'bearer')
  t.equal(plain.expiresIn, 600)
  t.equal(plain.scope, 'notes:read', 'the default')
  t.equal(plain.refreshToken, undefined)
  t.match(decodeJwt(plain.accessToken), { aud: API, scope: 'notes:read' })

  const wide = await client.requestByCredentials({ scope: 'notes:read notes:write' })
  t.equal(wide.scope, 'notes:read notes:write')
  const aimed = await client.requestByCredentials({ resource: OTHER_API })
  t.equal(decodeJwt(aimed.accessToken).aud, OTHER_API)
  if (library.repeatsResource) {
    const both = await client.requestByCredentials({ resource: [OTHER_API, API] })
    t.strictSame(decodeJwt(both.accessToken).aud, [API, OTHER_API])
  }
}

async function checkRotation(t: Test, library: ClientLibrary): Promise<void> {
  const scene = await startScene(t)
  const { open, codeOf } = opener(t, library, scene)
  const user = await scene.makeUser()
  const client = await open({ method: 'client_secret_basic' })
  const login = await client.logIn(user.username, user.password, {
    scope: 'notes:read notes:write',
    resource: API,
  })
  t.equal(login.scope, 'notes:read notes:write')
  t.match(decodeJwt(login.accessToken), { sub: user.id, aud: API })
  const first = await client.refresh(login.refreshToken ?? '')
  t.not(first.refreshToken, login.refreshToken)
  t.equal(first.scope, 'notes:read notes:write')
  const narrowed = await client.refresh(first.refreshToken ?? '', { scope: 'notes:read' })
  t.equal(narrowed.scope, 'notes:read')
  const again = await client.refresh(first.refreshToken ?? '')
  t.equal(again.refreshToken, narrowed.refreshToken, 'a lost answer can be asked for again')

  t.equal(await codeOf(client.refresh(login.refreshToken ?? '')), 'invalid_grant', 'a replay')
  const last = client.refresh(again.refreshToken ?? '')
  t.equal(await codeOf(last), 'invalid_grant', 'the replay ended the family')

  const hasty = await open({ method: 'client_secret_basic', refreshGraceSeconds: 0 })
  const { refreshToken = '' } = await hasty.logIn(user.username, user.password)
  await hasty.refresh(refreshToken)
  t.equal(await codeOf(hasty.refresh(refreshToken)), 'invalid_grant', 'after the grace')
}

async function checkPublicClient(t: Test, library: ClientLibrary): Promise<void> {
  const scene = await startScene(t)
  const { codeOf } = opener(t, library, scene)
  const user = await scene.makeUser()
  const { id } = await scene.makeClient({})
  const { issuer } = scene
  const client = await library.open({ issuer, id, secret: '', method: 'none' })
  const login = await client.logIn(user.username, user.password)
  t.equal(decodeJwt(login.accessToken).client_id, id)
  const next = await client.refresh(login.refreshToken ?? '')
  t.not(next.refreshToken, login.refreshToken)
  await client.revoke(next.refreshToken ?? '', 'refresh_token')
  t.equal(await codeOf(client.refresh(next.refreshToken ?? '')), 'invalid_grant')
  checkLine(t, library, client)
}

async function checkRevocation(t: Test, library: ClientLibrary): Promise<void> {
  const scene = await startScene(t)
  const { open, codeOf } = opener(t, library, scene)
  const user = await scene.makeUser()
  for (const method of ['client_secret_basic', 'client_secret_post'] as const) {
    const client = await open({ method, authMethods: [method] })
    const { accessToken, refreshToken = '' } = await client.logIn(user.username, user.password)
    const inspect = async (token: string) => await client.introspect?.(token)
    if (client.introspect) {
      const about = { active: true, iss: scene.issuer, sub: user.id, scope: 'notes:read' }
      t.match(await inspect(accessToken), { ...about, aud: API, token_type: 'Bearer' })
      t.match(await inspect(refreshToken), { ...about, token_type: 'refresh_token' })
      t.strictSame(await inspect('no such token'), { active: false })
    }
    await client.revoke(accessToken, 'access_token')
    if (client.introspect) t.strictSame(await inspect(accessToken), { active: false })
    const next = await client.refresh(refreshToken)
    await client.revoke(next.refreshToken ?? '', 'refresh_token')
    t.equal(await codeOf(client.refresh(next.refreshToken ?? '')), 'invalid_grant')
    if (client.introspect) t.strictSame(await inspect(next.accessToken), { active: false })
    await client.revoke('no such token', 'refresh_token')
  }
}

async function checkErrors(t: Test, library: ClientLibrary): Promise<void> {
  const scene = await startScene(t)
  const { codeOf } = opener(t, library, scene)
  const { issuer } = scene
  const { username, password } = await scene.makeUser()
  const { id, secret } = await makeConfidentialClient(scene)
  const narrow = await scene.makeClient({ type: 'confidential', grantTypes: ['refresh_token'] })
  for (const method of ['client_secret_basic', 'client_secret_post'] as const) {
    const client = await library.open({ issuer, id, secret, method })
    const wrong = { scope: 'notes:burn' }
    const elsewhere = { resource: 'https://elsewhere.example.test' }
    t.equal(await codeOf(client.requestByCredentials(wrong)), 'invalid_scope', method)
    t.equal(await codeOf(client.requestByCredentials(elsewhere)), 'invalid_target', method)
    t.equal(await codeOf(client.logIn(username, `${password}!`)), 'invalid_grant', method)
    t.equal(await codeOf(client.refresh('no such token')), 'invalid_grant', method)
    const stranger = await library.open({ issuer, id, secret: `${secret}!`, method })
    t.equal(await codeOf(stranger.requestByCredentials()), 'invalid_client', method)
    const limited = await library.open({ issuer, ...narrow, method })
    t.equal(await codeOf(limited.requestByCredentials()), 'unauthorized_client', method)
  }
}

async function checkSecret(t: Test, library: ClientLibrary): Promise<void> {
  const id = 'awkward-admin'
  const { issuer } = await startScene(t, {
    config: { adminClient: { id, secret: AWKWARD_SECRET } },
  })
  const open = (method: string) => library.open({ issuer, id, secret: AWKWARD_SECRET, method })
  t.teardown(() => library.close?.())
  const post = await (await open('client_secret_post')).requestByCredentials()
  t.equal(post.scope, 'lineage:admin')
  const basic = (await open('client_secret_basic')).requestByCredentials()
  if (library.encodesBasic) {
    t.equal((await basic).scope, 'lineage:admin')
  } else {
    const code = await basic.then(() => 'none', library.codeOf)
    t.equal(code, 'invalid_client', 'the library sends them as they are')
  }
}

interface OpenInput {
  readonly method: string
  readonly authMethods?: string[]
  readonly refreshGraceSeconds?: number
}

/** Fresh confidential clients in the library's hands, and what it says when it is refused. */
function opener(t: Test, library: ClientLibrary, scene: Scene) {
  t.teardown(() => library.close?.())
  return {
    async open({ method, ...input }: OpenInput): Promise<LibraryClient> {
      const client = await makeConfidentialClient(scene, input)
      return await library.open({ issuer: scene.issuer, ...client, method })
    },
    codeOf: (request: Promise<unknown>): Promise<string> =>
      request.then(() => 'not refused', library.codeOf),
  }
}
