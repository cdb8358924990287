// simple-oauth2: one class a grant, endpoints by hand. It has no discovery, no introspection and no
// notion of a public client; its HTTP library, wreck, throws the refusals.

import { ClientCredentials, type ModuleOptions, ResourceOwnerPassword } from 'simple-oauth2'
import { test } from 'tap'
import { makeConfidentialClient, startScene } from '../scenes/integration-scene.ts'
import {
  type ClientSettings,
  type LibraryClient,
  runClientSuite,
  type Tokens,
  type TokenWishes,
} from './client-suite.ts'

function configure({ issuer, id, secret, method }: ClientSettings): ModuleOptions {
  return {
    client: { id, secret },
    auth: { tokenHost: issuer, tokenPath: '/token', revokePath: '/revoke' },
    // A public client sends its id alone: in the body, where an empty secret is none at all.
    options: { authorizationMethod: method === 'client_secret_basic' ? 'header' : 'body' },
    // The default, 'strict', takes the empty answer of /revoke (RFC 7009 §2.2) for a failure.
    http: { json: true },
  }
}

/** A member that is undefined would be sent as an empty one. */
function toParameters({ scope, resource }: TokenWishes): { scope?: string } {
  return { ...(scope ? { scope } : {}), ...(resource ? { resource } : {}) }
}

function toTokens(token: Record<string, unknown>): Tokens {
  return {
    accessToken: String(token.access_token),
    tokenType: String(token.token_type),
    expiresIn: Number(token.expires_in),
    scope: String(token.scope),
    refreshToken: token.refresh_token === undefined ? undefined : String(token.refresh_token),
  }
}

async function open(settings: ClientSettings): Promise<LibraryClient> {
  const options = configure(settings)
  const machine = new ClientCredentials(options)
  const people = new ResourceOwnerPassword(options)
  return {
    async requestByCredentials(wishes = {}) {
      return toTokens((await machine.getToken(toParameters(wishes))).token)
    },
    async logIn(username, password, wishes = {}) {
      const login = { username, password, ...toParameters(wishes) }
      return toTokens((await people.getToken(login)).token)
    },
    async refresh(refreshToken, wishes = {}) {
      const stored = people.createToken({ refresh_token: refreshToken })
      return toTokens((await stored.refresh(toParameters(wishes))).token)
    },
    async revoke(token, kind) {
      await people.createToken({ [kind]: token }).revoke(kind)
    },
  }
}

/** The library throws what its HTTP library does: a Boom whose data hold the parsed answer. */
function readCode(error: unknown): string {
  const { isBoom, data } = error as { isBoom?: boolean; data?: { payload?: { error?: string } } }
  if (isBoom !== true || data?.payload?.error === undefined) throw error
  return data.payload.error
}

runClientSuite({
  name: 'simple-oauth2',
  open,
  codeOf: readCode,
  encodesBasic: true,
  repeatsResource: true,
})

test('simple-oauth2: in its strict mode a revocation throws, and has happened', async (t) => {
  const scene = await startScene(t)
  const user = await scene.makeUser()
  const { id, secret } = await makeConfidentialClient(scene)
  const { issuer } = scene
  const { http: _lenient, ...strict } = configure({
    issuer,
    id,
    secret,
    method: 'client_secret_basic',
  })
  const { username, password } = user
  const tokens = await new ResourceOwnerPassword(strict).getToken({ username, password })
  const thrown: unknown = await tokens.revoke('refresh_token').then(
    () => undefined,
    (error: unknown) => error,
  )
  t.match(thrown, { isBoom: true, output: { statusCode: 406 } })
  t.equal(await tokens.refresh().then(() => 'refreshed', readCode), 'invalid_grant')
})
