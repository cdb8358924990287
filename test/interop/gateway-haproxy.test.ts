// HAProxy with examples/gateways/haproxy: tokens verified offline by PEM files, over a rotation too.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { type Test, test } from 'tap'
import { makeKeyPairSync } from '../../src/runtime/key-pair.ts'
import { type Scene, startScene } from '../scenes/gateway-scene.ts'
import { runCommand } from '../support/command-line.ts'
import type { Environment } from '../support/lineage-process.ts'
import { until } from '../support/until.ts'
import {
  ask,
  bearerSubject,
  checkIdentity,
  checkRefusals,
  type Subject,
} from './gateways/checks.ts'
import { requirePrograms } from './gateways/debian-package.ts'
import { checkDocumented } from './gateways/documented-gateway.ts'
import { checkEveryGateway } from './gateways/every-gateway.ts'
import { EXAMPLES, type Gateway, startGateway } from './gateways/gateway-process.ts'
import { bearer, send } from './gateways/raw-request.ts'
import { checkSeparators, readTrailers } from './gateways/spoofing-checks.ts'
import { clientToken, makeTokens, readClaims, readHeader } from './gateways/tokens.ts'

const HAPROXY = requirePrograms({ haproxy: '/usr/sbin/haproxy' })

/** The step of the README: export the keys, put them where the configuration looks for them. */
async function updateKeys(t: Test, { env }: Scene, dir: string): Promise<void> {
  const exported = await runCommand(t, env, ['keys', 'export', '--pem'])
  const script = join(EXAMPLES, 'haproxy/update-keys.sh')
  const written = spawnSync(script, [join(dir, 'keys')], {
    input: exported.stdout,
    encoding: 'utf8',
  })
  if (written.status !== 0) throw new Error(`no keys: ${exported.stderr} ${written.stderr}`)
}

interface HaproxyOptions {
  readonly alg?: string
  readonly prepare?: (dir: string) => Promise<void> | void
}

function startHaproxy(t: Test, scene: Scene, options: HaproxyOptions = {}): Promise<Gateway> {
  const { alg = 'ES256', prepare = (dir) => updateKeys(t, scene, dir) } = options
  return startGateway(t, {
    name: 'haproxy',
    program: HAPROXY,
    args: () => ['-W', '-f', 'haproxy.cfg'],
    addresses: scene.addresses,
    replace: { ES256: alg },
    prepare,
  })
}

async function startSubject(t: Test, settings: Environment, alg = 'ES256'): Promise<Subject> {
  const scene = await startScene(t, settings)
  const gateway = await startHaproxy(t, scene, { alg })
  return bearerSubject(gateway, scene, await makeTokens(t, scene))
}

test('HAProxy lets good tokens of ES256 through, and nothing else', async (t) => {
  const subject = await startSubject(t, {})
  const { scene, tokens } = subject
  await checkEveryGateway(t, subject)
  await t.test('names that are nearly ours', (t) => checkSeparators(t, subject))
  await t.test('trailers pass, which the README admits', async (t) => {
    t.strictSame(await readTrailers(t, subject), [['x-auth-subject', 'somebody']])
  })
  await t.test('a revoked token passes until it expires: nobody is asked', async (t) => {
    await checkDocumented(t, subject, { line: 'HAProxy 2.6', packages: ['haproxy'] })
    t.equal(scene.passage.connections(), 0)
  })
  await t.test('a Lineage that is gone changes nothing', async (t) => {
    scene.lineage.signal('SIGKILL')
    await scene.lineage.exited
    const headers = subject.present(tokens.client)
    t.equal((await ask(subject, { path: '/notes/1', headers })).answer.status, 200)
  })
})

test('HAProxy reads type, issuer, audience, expiry and scope to the letter', async (t) => {
  const scene = await startScene(t)
  const issuer = 'https://auth.example.test'
  const { privateKey, publicKey } = makeKeyPairSync('ec', { namedCurve: 'P-256' })
  const named = { ...scene, addresses: { ...scene.addresses, issuer } }
  const gateway = await startHaproxy(t, named, {
    prepare: (dir) => {
      const pem = publicKey.export({ type: 'spki', format: 'pem' })
      for (const place of [1, 2, 3]) writeFileSync(join(dir, `keys/${place}.pem`), pem)
    },
  })
  const token = await clientToken(scene)
  const statusOf = async (claims: Record<string, unknown>, typ = 'at+jwt') => {
    const payload = { ...readClaims(token), iss: issuer, aud: issuer, ...claims }
    const header = { ...readHeader(token), typ }
    const signed = await new SignJWT(payload).setProtectedHeader(header).sign(privateKey)
    return (await send(gateway.port, { path: '/notes/1', headers: bearer(signed) })).status
  }
  t.equal(await statusOf({}), 200)
  t.equal(await statusOf({ aud: ['https://other.example.test', issuer] }), 200)
  t.equal(await statusOf({ scope: 'notes:write notes:read' }), 200)
  t.equal(await statusOf({}, 'JWT'), 401)
  const alike = issuer.replace('.', 'x')
  const bad: Record<string, unknown>[] = [
    ...[`${issuer}0`, `x${issuer}`, alike, undefined, [issuer]].map((iss) => ({ iss })),
    ...[`${issuer}0`, `${issuer}/`, alike, [], undefined].map((aud) => ({ aud })),
    ...[`${issuer}0`, `x${issuer}`, alike, `x"${issuer}`].map((one) => ({ aud: ['other', one] })),
    ...[undefined, 0, Math.floor(Date.now() / 1_000) - 1].map((exp) => ({ exp })),
    { cnf: { jkt: 'of some key' } },
    { cnf: { 'x5t#S256': 'of some certificate' } },
    { aud: 'https://other.example.test', sub: `,"aud":["${issuer}"]` },
  ]
  for (const claims of bad) t.equal(await statusOf(claims), 401, JSON.stringify(claims))
  for (const scope of ['notes:reader', 'xnotes:read', 'notes-read', '', undefined]) {
    t.equal(await statusOf({ scope }), 403, `scope ${scope}`)
  }
})

test('HAProxy verifies RS256 with the same configuration', async (t) => {
  const subject = await startSubject(t, { LINEAGE_SIGNING_ALG: 'RS256' }, 'RS256')
  const { tokens } = subject
  t.equal(readHeader(tokens.client).alg, 'RS256')
  await t.test('a user', (t) => checkIdentity(t, subject, tokens.user.access_token))
  await checkRefusals(t, subject)
})

test('a rotation of the key costs not one request', { timeout: 170_000 }, async (t) => {
  const scene = await startScene(t, { LINEAGE_JWKS_MAX_AGE_SECONDS: '0' })
  const gateway = await startHaproxy(t, scene)
  const tokens = { before: await clientToken(scene), latest: await clientToken(scene) }
  const refused: number[] = []
  const present = async () => {
    for (const token of Object.values(tokens)) {
      const { status } = await send(gateway.port, { path: '/notes/1', headers: bearer(token) })
      if (status !== 200) refused.push(status)
    }
  }
  await present()
  const published = await scene.lineage.admin('POST', '/admin/keys/rotate', {})
  t.equal(published.status, 201)
  await updateKeys(t, scene, gateway.dir)
  process.kill(gateway.pid, 'SIGUSR2')
  // The new key signs after the JWKS' max-age and a minute.
  await until(
    'a token of the new key',
    async () => {
      tokens.latest = await clientToken(scene)
      await present()
      return readHeader(tokens.latest).kid !== readHeader(tokens.before).kid
    },
    120_000,
  )
  await present()
  t.strictSame(refused, [], 'tokens of both keys passed all the time')
  await t.test('a compromised key is good until the files are replaced', async (t) => {
    await checkCompromise(t, scene, gateway, tokens.latest)
  })
})

async function checkCompromise(t: Test, scene: Scene, gateway: Gateway, old: string) {
  const statusOf = async (token: string) =>
    (await send(gateway.port, { path: '/notes/1', headers: bearer(token) })).status
  const rotated = await scene.lineage.admin('POST', '/admin/keys/rotate', { compromised: true })
  t.equal(rotated.status, 201)
  const fresh = await clientToken(scene)
  t.equal(await statusOf(old), 200)
  t.equal(await statusOf(fresh), 401)
  await updateKeys(t, scene, gateway.dir)
  process.kill(gateway.pid, 'SIGUSR2')
  await until('the old key to be gone', async () => (await statusOf(old)) === 401)
  t.equal(await statusOf(fresh), 200)
}
