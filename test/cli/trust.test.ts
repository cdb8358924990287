// `lineage trust …`: issuers added, listed and removed beside a running instance, and what is said of a
// token without using it up.

import { test } from 'tap'
import { expectToken } from '../scenes/assertion-scene.ts'
import { makeWorkload, presentToken, trustPlatform } from '../scenes/platform-scene.ts'
import { startApp } from '../support/app.ts'
import { runHere } from '../support/command-line.ts'
import { serverEnvironment } from '../support/lineage-process.ts'

test('an issuer is added, listed and removed', async (t) => {
  const env = serverEnvironment((await startApp(t)).databaseUrl)
  const source = [
    '--issuer',
    'https://idp.example.test',
    '--jwks-uri',
    'https://idp.example.test/k',
  ]
  const rules = ['--kind', 'oidc', '--alg', 'ES256', '--replay', 'single_use', '--audience', 'us']
  const subjects = ['--subjects', '{"mode":"own"}', '--allow-private-network', '--json']
  const added = await runHere(env, ['trust', 'add', 'idp', ...source, ...rules, ...subjects])
  t.equal(added.code, 0, added.stderr)
  t.match(JSON.parse(added.stdout), {
    id: 'idp',
    algs: ['ES256'],
    audience: 'us',
    subjects: { mode: 'own' },
    allowPrivateNetwork: true,
  })
  const again = await runHere(env, ['trust', 'add', 'idp', ...source, '--kind', 'oidc'])
  t.match(again, { code: 1, stderr: /taken/ })
  const listed = await runHere(env, ['trust', 'list', '--json'])
  t.match(JSON.parse(listed.stdout), [{ id: 'idp' }])
  t.equal((await runHere(env, ['trust', 'remove', 'idp'])).code, 0)
  t.equal((await runHere(env, ['trust', 'remove', 'idp'])).code, 1, 'it is gone')
})

test('a token is explained check by check, from standard input, and not used up', async (t) => {
  const app = await startApp(t)
  const env = {
    ...serverEnvironment(app.databaseUrl),
    LINEAGE_ISSUER: app.service.config.issuer,
  }
  const platform = await trustPlatform(app, 'github')
  const client = await makeWorkload(app, platform)
  const token = await platform.token()
  const good = await runHere(
    env,
    ['trust', 'test', '-', '--client', client, '--json'],
    `${token}\n`,
  )
  t.equal(good.code, 0, good.stdout + good.stderr)
  const report = JSON.parse(good.stdout)
  t.match(report, { ok: true, trustedIssuer: 'github', subject: platform.subject })
  t.match(
    report.findings.map(({ check }: { check: string }) => check),
    ['readable', 'trusted issuer', 'type', 'algorithm'],
  )
  await expectToken(t, await presentToken(app, client, token), 'it is as good as before')
  const bad = await platform.token({ claims: { aud: 'https://other.example', sub: 'repo:x/y' } })
  const refused = await runHere(env, ['trust', 'test', bad, '--client', client])
  t.equal(refused.code, 1)
  for (const line of [/^audience +audience_wrong$/m, /^signature +ok$/m, /subject_differs/]) {
    t.match(refused.stdout, line)
  }
  const unreadable = await runHere(env, ['trust', 'test', 'x.y', '--json'])
  t.match(JSON.parse(unreadable.stdout), {
    ok: false,
    findings: [{ check: 'readable', problem: 'malformed' }],
  })
})
