// nginx with examples/gateways/nginx: auth_request to /verify, with a bearer token and with a cookie.

import { type Test, test } from 'tap'
import {
  ask,
  bearerSubject,
  checkBearerSyntax,
  checkExpiry,
  checkIdentity,
  checkRefusals,
  checkSilentAnswer,
  checkSpoofing,
} from './gateways/checks.ts'
import { checkCookieMode } from './gateways/cookie-checks.ts'
import { requirePrograms } from './gateways/debian-package.ts'
import { type Gateway, startGateway } from './gateways/gateway-process.ts'
import { type Scene, startScene } from './gateways/scene.ts'
import { makeTokens, revokedToken } from './gateways/tokens.ts'
import {
  checkBodies,
  checkOutages,
  checkPaths,
  checkUpstreamAnswers,
} from './gateways/traffic-checks.ts'

const NGINX = requirePrograms({ nginx: '/usr/sbin/nginx' })

function startNginx(t: Test, { addresses }: Scene): Promise<Gateway> {
  return startGateway(t, {
    name: 'nginx',
    program: NGINX,
    // The README's line, with the worker and its master in the foreground.
    args: (dir) => ['-p', dir, '-e', 'stderr', '-c', 'nginx.conf', '-g', 'daemon off;'],
    addresses,
  })
}

test('nginx lets through whom /verify admits, as whom it says, and nobody else', async (t) => {
  const scene = await startScene(t)
  const subject = bearerSubject(await startNginx(t, scene), scene, await makeTokens(t, scene))
  const { tokens } = subject
  await t.test('a user', (t) => checkIdentity(t, subject, tokens.user.access_token))
  await t.test('a client', (t) => checkIdentity(t, subject, tokens.client))
  await t.test('a user without roles', (t) => checkIdentity(t, subject, tokens.plain))
  await t.test('two audiences', (t) => checkIdentity(t, subject, tokens.forTwo))
  await checkRefusals(t, subject)
  await t.test('a revoked token is refused at once', async (t) => {
    const headers = subject.present(await revokedToken(scene))
    const { answer, arrived } = await ask(subject, { path: '/notes/1', headers })
    t.equal(answer.status, 401)
    t.equal(arrived, undefined)
  })
  await t.test('a token that expires', (t) => checkExpiry(t, subject))
  await t.test('how a token may be sent', (t) => checkBearerSyntax(t, subject))
  await t.test('headers from outside', (t) => checkSpoofing(t, subject))
  await t.test('an answer that says nobody', (t) => {
    return checkSilentAnswer(t, subject, (scene) => startNginx(t, scene))
  })
  await t.test('bodies', (t) => checkBodies(t, subject))
  await t.test('paths', (t) => checkPaths(t, subject))
  await t.test('what the upstream answers', (t) => checkUpstreamAnswers(t, subject))
  await t.test('a browser with cookies', (t) => checkCookieMode(t, subject))
  await t.test('connections to Lineage are kept', async (t) => {
    const { passage } = scene
    const before = passage.connections()
    for (let count = 0; count < 20; count += 1) {
      await ask(subject, { path: '/notes/1', headers: subject.present(tokens.client) })
    }
    t.ok(passage.connections() - before <= 1, `${passage.connections() - before} for 20 requests`)
  })
  await t.test('outages', (t) => checkOutages(t, subject))
})
