// Tokens of every kind that a gateway may be shown: good ones, and each way of not being good.

import { createHmac, createPublicKey, type JsonWebKey } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type JWTHeaderParameters, SignJWT } from 'jose'
import type { Test } from 'tap'
import { makeKeyPairSync } from '../../../src/runtime/key-pair.ts'
import { OTHER_AUDIENCE, type Scene } from '../../scenes/gateway-scene.ts'
import { logIn, type TokenAnswer } from '../../support/app.ts'
import { startLineage } from '../../support/lineage-process.ts'

const SECOND_MS = 1_000

export interface Claims {
  readonly sub: string
  readonly sid?: string
  readonly client_id: string
  readonly exp: number
  readonly act?: { readonly sub: string }
  readonly [claim: string]: unknown
}

export interface Tokens {
  readonly user: TokenAnswer
  readonly client: string
  /** Of a user without roles. */
  readonly plain: string
  /** For the API and another one: its `aud` is a list. */
  readonly forTwo: string
  /** By what is wrong with them; every gateway must refuse them with 401. */
  readonly bad: Readonly<Record<string, string>>
  /** Good but for the scope, which is none. */
  readonly scopeless: string
}

export async function makeTokens(t: Test, scene: Scene): Promise<Tokens> {
  const { lineage, clients } = scene
  const user = await logIn(lineage, clients.app, scene.user)
  const good = user.access_token
  const expired = await expiredToken(scene)
  return {
    user,
    client: await clientToken(scene),
    plain: (await logIn(lineage, clients.app, await lineage.makeUser())).access_token,
    forTwo: await tokenForTwo(scene),
    scopeless: (await logIn(lineage, await scopelessClient(scene), scene.user)).access_token,
    bad: {
      expired,
      'for another audience': await tokenFor(scene, OTHER_AUDIENCE),
      'of another issuer with the same key': await foreignToken(t, scene),
      'signed by another key': await forge(good),
      'with a changed payload': tamper(good),
      unsigned: unsign(good),
      'signed with the public key as a secret': await confuse(scene, good),
      'a refresh token': user.refresh_token,
      garbage: 'garbage',
      'three dots': '...',
    },
  }
}

export function readClaims(token: string): Claims {
  return readPart(token, 1) as unknown as Claims
}

export function readHeader(token: string): JWTHeaderParameters {
  return readPart(token, 0) as unknown as JWTHeaderParameters
}

function readPart(token: string, part: 0 | 1): Record<string, unknown> {
  const json = Buffer.from(token.split('.')[part] ?? '', 'base64url').toString()
  return JSON.parse(json) as Record<string, unknown>
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

export async function clientToken(
  { lineage, clients }: Scene,
  scope = 'notes:read',
): Promise<string> {
  const answer = await lineage.form('/token', {
    grant_type: 'client_credentials',
    scope,
    client_id: clients.service.id,
    client_secret: clients.service.secret,
  })
  return ((await answer.json()) as TokenAnswer).access_token
}

/** Those of `tokens` in which scopes matter, for a place that demands `notes:write`. */
export async function makeWriteTokens(scene: Scene, tokens: Tokens): Promise<Tokens> {
  const { lineage, clients, user } = scene
  const scope = 'notes:write'
  return {
    ...tokens,
    user: await logIn(lineage, clients.app, user, { scope }),
    client: await clientToken(scene, scope),
    scopeless: tokens.user.access_token,
    bad: { ...tokens.bad, 'for another audience': await tokenFor(scene, OTHER_AUDIENCE, scope) },
  }
}

async function tokenFor(
  { lineage, clients, user }: Scene,
  resource: string,
  scope = 'notes:read',
): Promise<string> {
  return (await logIn(lineage, clients.app, user, { resource, scope })).access_token
}

async function tokenForTwo({ lineage, clients, addresses }: Scene): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clients.service.id,
    client_secret: clients.service.secret,
  })
  for (const resource of [OTHER_AUDIENCE, addresses.issuer]) body.append('resource', resource)
  const answer = await lineage.fetch('/token', { method: 'POST', body })
  return ((await answer.json()) as TokenAnswer).access_token
}

async function scopelessClient({ lineage, addresses }: Scene) {
  const audiences = [addresses.issuer]
  return await lineage.makeClient({ scopes: ['notes:read'], defaultScopes: [], audiences })
}

async function expiredToken(scene: Scene): Promise<string> {
  const token = await briefToken(scene)
  await outlive(token)
  return token
}

/** Good for two seconds at least. */
export async function briefToken({ lineage, clients, user }: Scene): Promise<string> {
  return (await logIn(lineage, clients.brief, user)).access_token
}

/** Some verifiers allow for a second. */
export async function outlive(token: string): Promise<void> {
  const { exp } = readClaims(token)
  await delay(Math.max(0, (exp + 2) * SECOND_MS - Date.now()))
}

/** A second Lineage on the same database has the same keys, and here another name. */
async function foreignToken(t: Test, scene: Scene): Promise<string> {
  const { PORT: _, ...env } = scene.env
  const foreign = await startLineage(t, { ...env, LINEAGE_ISSUER: 'http://localhost:1' })
  const { access_token: token } = await logIn(foreign, scene.clients.app, scene.user)
  foreign.signal('SIGTERM')
  await foreign.exited
  return token
}

async function forge(token: string): Promise<string> {
  const header = readHeader(token)
  const { privateKey } =
    header.alg === 'RS256'
      ? makeKeyPairSync('rsa', { modulusLength: 2048 })
      : makeKeyPairSync('ec', { namedCurve: 'P-256' })
  return await new SignJWT({ ...readClaims(token) }).setProtectedHeader(header).sign(privateKey)
}

function tamper(token: string): string {
  const [header, , signature] = token.split('.')
  return `${header}.${encode({ ...readClaims(token), sub: 'somebody else' })}.${signature}`
}

function unsign(token: string): string {
  return `${encode({ ...readHeader(token), alg: 'none' })}.${token.split('.')[1]}.`
}

/** RFC 8725 §2.1: the public key, as everybody can load it, used as the secret of HS256. */
async function confuse({ lineage }: Scene, token: string): Promise<string> {
  const answer = await lineage.fetch('/.well-known/jwks.json')
  const { keys } = (await answer.json()) as { keys: JsonWebKey[] }
  const publicKey = createPublicKey({ key: keys[0] ?? {}, format: 'jwk' })
  const secret = publicKey.export({ type: 'spki', format: 'pem' })
  const signed = `${encode({ ...readHeader(token), alg: 'HS256' })}.${token.split('.')[1]}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

/** Ends the login of a fresh token, which is then revoked and not yet expired. */
export async function revokedToken({ lineage, clients, user }: Scene): Promise<string> {
  const tokens = await logIn(lineage, clients.app, user)
  const body = { token: tokens.refresh_token, client_id: clients.app.id }
  const answer = await lineage.form('/revoke', body)
  if (answer.status !== 200) throw new Error(`not revoked: ${answer.status}`)
  return tokens.access_token
}
