// An OAuth2Client of google-auth-library that is logged in at Lineage, by way of a front that sees
// what it sends.

import { gaxios, OAuth2Client, type OAuth2ClientOptions } from 'google-auth-library'
import type { Test } from 'tap'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import { makeConfidentialClient, type Scene, startScene } from '../scenes/integration-scene.ts'
import { logIn, type TokenAnswer } from '../support/app.ts'
import { type LossyFront, startLossyFront } from '../support/lossy-front.ts'

export interface Login {
  readonly scene: Scene
  readonly front: LossyFront
  readonly credential: { readonly id: string; readonly secret: string }
  readonly tokens: TokenAnswer
}

/** A user who is logged in at a confidential client. */
export async function startLogin(t: Test, input: Partial<ClientInput> = {}): Promise<Login> {
  const scene = await startScene(t)
  const front = await startLossyFront(t, scene.url)
  const credential = await makeConfidentialClient(scene, input)
  const tokens = await logIn(scene, credential, await scene.makeUser())
  return { scene, front, credential, tokens }
}

/** Lineage at `url` in place of Google. */
export function optionsFor(url: string): OAuth2ClientOptions {
  return {
    endpoints: {
      oauth2TokenUrl: `${url}/token`,
      oauth2RevokeUrl: `${url}/revoke`,
      oauth2FederatedSignonPemCertsUrl: `${url}/.well-known/jwks.json`,
      tokenInfoUrl: `${url}/introspect`,
    },
    // Nothing of the environment, where a proxy could be named.
    transporterOptions: { noProxy: ['127.0.0.1'] },
  }
}

/** With the refresh token of the login and nothing else. */
export function openClient(
  { front, credential, tokens }: Login,
  options: OAuth2ClientOptions = {},
): OAuth2Client {
  const client = new OAuth2Client({
    ...optionsFor(front.url),
    clientId: credential.id,
    ...(credential.secret ? { clientSecret: credential.secret } : {}),
    ...options,
  })
  client.setCredentials({ refresh_token: tokens.refresh_token })
  return client
}

/** What a program has to add: the library sets the old refresh token again after the event. */
export function keepRotatedToken(client: OAuth2Client): void {
  client.on('tokens', (tokens) => client.setCredentials({ ...client.credentials, ...tokens }))
}

/** What the library throws for a refusal; fails on any other error, and where there is none. */
export async function readError(refused: Promise<unknown>): Promise<unknown> {
  const error: unknown = await refused.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof gaxios.GaxiosError)) throw error ?? new Error('not refused')
  const { message, status, response } = error
  return { message, status, error: response?.data.error }
}
