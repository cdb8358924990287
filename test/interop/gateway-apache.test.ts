// Apache httpd with mod_oauth2 and examples/gateways/apache: tokens verified offline by the JWKS, and
// online by introspection.

import { type Test, test } from 'tap'
import { type Scene, type SceneClient, startScene } from '../scenes/gateway-scene.ts'
import { logIn } from '../support/app.ts'
import {
  ask,
  bearerSubject,
  type Challenges,
  checkRefusal,
  identityIn,
  RFC_6750,
  type Subject,
} from './gateways/checks.ts'
import { requirePrograms } from './gateways/debian-package.ts'
import { checkDocumented } from './gateways/documented-gateway.ts'
import { checkEveryGateway } from './gateways/every-gateway.ts'
import { type Gateway, startGateway } from './gateways/gateway-process.ts'
import { bearer } from './gateways/raw-request.ts'
import { readTrailers } from './gateways/spoofing-checks.ts'
import { makeTokens, revokedToken } from './gateways/tokens.ts'

const APACHE = requirePrograms({
  'apache2-bin': '/usr/sbin/apache2',
  'libapache2-mod-oauth2': '/usr/lib/apache2/modules/mod_oauth2.so',
})

const LINE = 'Apache 2.4 with mod_oauth2 3.3'
const PACKAGES = ['apache2-bin', 'libapache2-mod-oauth2']

/** A request without a token is told of an error, which RFC 6750 §3.1 advises against. */
const CHALLENGES: Challenges = { ...RFC_6750, none: /^Bearer error="invalid_request"/ }

interface ApacheOptions {
  readonly configuration: 'jwks.conf' | 'introspection.conf'
  readonly introspector?: SceneClient
  /** In place of `notes:read`. */
  readonly scope?: string
}

function startApache(
  t: Test,
  { addresses }: Scene,
  { configuration, introspector, scope }: ApacheOptions,
): Promise<Gateway> {
  return startGateway(t, {
    name: 'apache',
    program: APACHE,
    args: (dir) => ['-d', dir, '-f', configuration, '-D', 'FOREGROUND'],
    addresses,
    replace: {
      ...(introspector && { 'demo-service': introspector.id }),
      ...(scope && { 'notes:read': scope }),
    },
    env: introspector ? { INTROSPECTION_SECRET: introspector.secret } : {},
  })
}

async function checkTraffic(t: Test, subject: Subject, challenges: Challenges): Promise<void> {
  const { present, tokens } = subject
  await checkEveryGateway(t, subject, challenges)
  await t.test('no trailer passes', async (t) => {
    t.strictSame(await readTrailers(t, subject), [])
  })
  await t.test('names with yet other characters pass, which the README admits', async (t) => {
    const headers = [['X.Auth.Subject', 'somebody'] as const, ...present(tokens.client)]
    const { arrived } = await ask(subject, { path: '/notes/1', headers })
    t.strictSame(
      identityIn(arrived).filter(([, value]) => value === 'somebody'),
      [['x.auth.subject', 'somebody']],
    )
  })
}

test('Apache verifies tokens by the JWKS, without a question to Lineage', async (t) => {
  const scene = await startScene(t)
  const gateway = await startApache(t, scene, { configuration: 'jwks.conf' })
  const subject = bearerSubject(gateway, scene, await makeTokens(t, scene))
  const { tokens } = subject
  await checkTraffic(t, subject, {
    ...CHALLENGES,
    forbidden: ['for another audience', 'of another issuer with the same key'],
  })
  await t.test('a revoked token passes until it expires: nobody is asked', async (t) => {
    await checkDocumented(t, subject, { line: `${LINE}, offline`, packages: PACKAGES })
    const { length } = scene.passage.received
    t.ok(length < 20, `the keys were fetched ${length} times`)
  })
  await t.test('a scope is compared to the letter', async (t) => {
    const dotted = await startApache(t, scene, { configuration: 'jwks.conf', scope: 'notes.read' })
    const scopes = ['notes.read', 'notes-read', 'notes.reader', 'other', 'xnotes.read']
    const client = await scene.lineage.makeClient({ scopes, audiences: [scene.addresses.issuer] })
    const statusOf = async (scope: string) => {
      const { access_token: token } = await logIn(scene.lineage, client, scene.user, { scope })
      const asking = { ...subject, gateway: dotted }
      return (await ask(asking, { path: '/notes/1', headers: bearer(token) })).answer.status
    }
    for (const scope of ['notes.read', 'other notes.read', 'notes.read notes-read other']) {
      t.equal(await statusOf(scope), 200, scope)
    }
    for (const scope of ['notes-read', 'notes.reader xnotes.read']) {
      t.equal(await statusOf(scope), 403, scope)
    }
  })
  await t.test('known keys outlive Lineage', async (t) => {
    scene.lineage.signal('SIGKILL')
    await scene.lineage.exited
    const headers = subject.present(tokens.client)
    t.equal((await ask(subject, { path: '/notes/1', headers })).answer.status, 200)
  })
  await t.test('without any keys nobody passes', async (t) => {
    const fresh = await startApache(t, scene, { configuration: 'jwks.conf' })
    const path = '/notes/1'
    const asked = await ask(
      { ...subject, gateway: fresh },
      { path, headers: bearer(tokens.client) },
    )
    checkRefusal(t, asked, 401, CHALLENGES.invalidToken)
  })
})

test('Apache asks /introspect about every token', async (t) => {
  const scene = await startScene(t)
  const introspector = await scene.lineage.makeClient({
    type: 'confidential',
    grantTypes: ['password', 'refresh_token'],
    scopes: ['notes:read', 'lineage:introspect'],
    defaultScopes: ['notes:read'],
    audiences: [scene.addresses.issuer],
  })
  const configuration = 'introspection.conf'
  const gateway = await startApache(t, scene, { configuration, introspector })
  const subject = bearerSubject(gateway, scene, await makeTokens(t, scene))
  await checkTraffic(t, subject, { ...CHALLENGES, forbidden: ['for another audience'] })
  await t.test('a token is refused as soon as it is revoked', async (t) => {
    await checkDocumented(t, subject, { line: LINE, packages: PACKAGES })
    const headers = subject.present(await revokedToken(scene))
    checkRefusal(t, await ask(subject, { path: '/notes/1', headers }), 401, CHALLENGES.invalidToken)
    const good = subject.present(
      (await logIn(scene.lineage, introspector, scene.user)).access_token,
    )
    t.equal((await ask(subject, { path: '/notes/1', headers: good })).answer.status, 200)
  })
  await t.test('a refresh token is none, though it is active to its own client', async (t) => {
    const { refresh_token: token } = await logIn(scene.lineage, introspector, scene.user)
    const asked = await ask(subject, { path: '/notes/1', headers: bearer(token) })
    checkRefusal(t, asked, 403, CHALLENGES.insufficientScope)
  })
  await t.test('nobody passes while Redis, and then Lineage, is away', async (t) => {
    const headers = subject.present(subject.tokens.user.access_token)
    const expectRefusal = async () => {
      const asked = await ask(subject, { path: '/notes/1', headers })
      checkRefusal(t, asked, 401, CHALLENGES.invalidToken)
    }
    await scene.redis.stop()
    await expectRefusal()
    // mod_oauth2 waits for 20 s then, whatever it is told.
    scene.lineage.signal('SIGSTOP')
    await expectRefusal()
    scene.lineage.signal('SIGKILL')
    await scene.lineage.exited
    await expectRefusal()
  })
})
