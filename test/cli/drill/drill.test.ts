// `lineage drill …` on running instances: a plan changes nothing, and what is done is what the plan said.

import { type Test, test } from 'tap'
import { deriveRootSecret } from '../../../src/secrets/root-secret.ts'
import { query, stopService } from '../../scenes/recovery-scene.ts'
import { logIn } from '../../support/app.ts'
import { runHere } from '../../support/command-line.ts'
import { refresh, startLineage } from '../../support/lineage-process.ts'
import { startRedisCluster } from '../../support/redis.ts'
import { ROOT_SECRET, rootSecretOf, secretKeyOf } from '../../support/root-secrets.ts'
import {
  type DrillScene,
  digestStores,
  drill,
  openDrillScene,
  plannedOf,
  seenOf,
} from './drill-scene.ts'

const DRILLS = ['key-leak', 'root-secret', 'redis-loss'] as const

for (const store of ['postgresql', 'redis'] as const) {
  test(`a plan changes nothing, families in ${store}`, async (t) => {
    const scene = await openDrillScene(t, store)
    // An instance that runs writes by itself.
    await stopService(t, scene.service)
    const before = await digestStores(scene)
    for (const name of DRILLS) {
      const { stdout, code } = await runHere(scene.env, ['drill', name, '--dry-run'])
      const isOther = name === 'redis-loss' && store === 'postgresql'
      t.equal(code, isOther ? 1 : 0, name)
      if (!isOther) t.match(stdout, `${name}: a plan; nothing is changed`)
      t.strictSame((await runHere(scene.env, ['drill', name])).code, code, 'the same without it')
    }
    t.equal(await digestStores(scene), before)
  })

  test(`key-leak: what is refused is what the plan says, families in ${store}`, async (t) => {
    const scene = await openDrillScene(t, store)
    const { report: plan } = await drill(scene, ['key-leak'])
    t.match(plan, { executed: false, observations: [], ok: true })
    t.match(plan.facts, { longestAccessToken: '10 min', clients: 1, jwksMaxAge: '5 min' })
    const { access_token: access, refresh_token: token } = await logIn(
      ...[scene.service, scene.client, scene.user],
    )
    const { code, stderr, report } = await drill(scene, [
      ...['key-leak', '--execute', '--confirm', scene.host],
    ])
    t.equal(code, 0, stderr + JSON.stringify(report.observations))
    const seen = seenOf(report)
    t.strictSame(seen, plannedOf(plan, seen))
    t.equal(Object.keys(seen).length, plan.expectations.length, 'everything was looked at')
    // And of those who were there before.
    const mine = { authorization: `Bearer ${access}` }
    t.equal((await scene.service.fetch('/users/me', { headers: mine })).status, 401)
    t.equal((await refresh(scene.service, scene.client, token)).status, 200)
    await leavesNothing(t, scene)
  })
}

/** The client and the user of the drill are gone. */
async function leavesNothing(t: Test, { databaseUrl }: DrillScene): Promise<void> {
  const clients = await query(databaseUrl, `SELECT name FROM clients WHERE name LIKE 'drill-%'`)
  const users = await query(databaseUrl, `SELECT id FROM users WHERE username LIKE 'drill-%'`)
  t.strictSame([...clients, ...users], [])
}

test('nothing is done without the name of the issuer, or with another one', async (t) => {
  const scene = await openDrillScene(t, 'redis')
  const kids = await (await scene.service.fetch('/.well-known/jwks.json')).text()
  const redisUrl = scene.redis?.url ?? ''
  const refused: [args: string[], words: RegExp][] = [
    [['key-leak', '--execute'], /--confirm with the host/],
    [['key-leak', '--execute', '--confirm', 'auth.example.com'], /not the host of the issuer/],
    [['key-leak', '--execute', '--dry-run', '--confirm', scene.host], /two things/],
    [
      ['key-leak', '--execute', '--confirm', scene.host, '--url', 'http://127.0.0.1:1'],
      /not the iss/,
    ],
    [['redis-loss', '--execute', '--confirm', scene.host], /needs --redis-url/],
    [
      ['redis-loss', '--execute', '--confirm', scene.host, '--redis-url', 'redis://127.0.0.1:1'],
      /not what REDIS_URL/,
    ],
    [['root-secret', '--secret', '256'], /no root secret 256/],
  ]
  for (const [args, words] of refused) {
    const { code, stderr } = await drill(scene, args)
    t.equal(code, 1)
    t.match(stderr, words, args.join(' '))
    t.notMatch(stderr, scene.host, 'what has to be typed is not shown')
  }
  await scene.redis?.cli('SET', 'somebody-elses', '1')
  const foreign = await drill(scene, [
    ...['redis-loss', '--execute', '--confirm', scene.host, '--redis-url', redisUrl],
  ])
  t.match(foreign.stderr, /1 keys there are not of Lineage/)
  t.equal(await scene.redis?.cli('GET', 'somebody-elses'), '1')
  t.equal(await (await scene.service.fetch('/.well-known/jwks.json')).text(), kids)
  await leavesNothing(t, scene)
})

test('redis-loss: what is lost and what is healed is what the plan says', async (t) => {
  const scene = await openDrillScene(t, 'redis')
  const { refresh_token: token } = await logIn(scene.service, scene.client, scene.user)
  const { report: plan } = await drill(scene, ['redis-loss'])
  t.match(plan.facts, { servers: 1, families: 2, journalLogins: 2, sessionsLostAtMost: 0 })
  const { code, stderr, report } = await drill(scene, [
    ...['redis-loss', '--execute', '--confirm', scene.host],
    ...['--redis-url', scene.redis?.url ?? ''],
  ])
  t.equal(code, 0, stderr + JSON.stringify(report.observations))
  const seen = seenOf(report)
  t.strictSame(seen, plannedOf(plan, seen))
  t.strictSame(
    plan.expectations.map(({ id }) => id).filter((id) => !(id in seen)),
    ['counters', 'used-once'],
    'what cannot be seen from outside is not said to have been',
  )
  t.equal((await refresh(scene.service, scene.client, token)).status, 200, 'a young session')
  await leavesNothing(t, scene)
})

test('root-secret: each step is told from the rows and from the instances', async (t) => {
  const scene = await openDrillScene(t, 'postgresql')
  const [old, fresh] = [ROOT_SECRET, rootSecretOf(1)]
  const under = (...secrets: Buffer[]) => ({
    ...scene.env,
    LINEAGE_SECRET_KEY: secretKeyOf(...secrets),
  })
  const [oldId, freshId] = [old, fresh].map((secret) => deriveRootSecret(secret).id)
  let service = scene.service
  const restart = async (env: typeof scene.env) => {
    await stopService(t, service)
    service = await startLineage(t, env)
  }

  // Alone: it mints, and cannot go.
  const alone = await drill({ env: under(old) }, ['root-secret'])
  t.match(alone.report.facts, { goes: oldId, leftToSealAnew: 1, safeFrom: /not while it mints/ })
  t.match(verdictIn(alone.report, 'signing-keys'), 'refused')

  // The new one first here, while no instance has begun: the rows say so.
  const ahead = await drill({ env: under(fresh, old) }, ['root-secret'])
  t.match(ahead.report.facts, { goes: oldId, mintsHere: freshId, leftToSealAnew: 1 })
  t.match(ahead.report.doing, [/restart an instance/])

  const execute = ['root-secret', '--execute', '--confirm', scene.host]
  await restart(under(fresh, old))
  const kept = await drill({ env: under(fresh, old) }, execute)
  t.equal(kept.code, 0, kept.stderr + JSON.stringify(kept.report.observations))
  t.match(kept.report.facts, { leftToSealAnew: 0 })
  t.match(verdictIn(kept.report, 'signing-keys'), 'goes on')
  t.match(kept.report.observations[0], {
    ...{
      id: 'refresh-tokens-under-it',
      seen: 'goes on',
      detail: `the instances still have ${oldId}`,
    },
  })
  t.match(kept.report.observations[1]?.detail, `mint under ${freshId}`)

  await restart(under(fresh))
  const gone = await drill({ env: under(fresh, old) }, execute)
  t.equal(gone.code, 0, gone.stderr + JSON.stringify(gone.report.observations))
  const seen = seenOf(gone.report)
  t.strictSame(seen, plannedOf(gone.report, seen), 'now the plan has come true')
  t.equal(seen['refresh-tokens-under-it'], 'refused')
})

function verdictIn(
  { expectations }: { expectations: readonly { id: string; verdict: string }[] },
  id: string,
): string | undefined {
  return expectations.find((one) => one.id === id)?.verdict
}

test('redis-loss empties every master of a Cluster, and each is healed by its own mark', async (t) => {
  const { url } = await startRedisCluster(t)
  const scene = await openDrillScene(t, 'redis', url)
  const { report: plan } = await drill(scene, ['redis-loss'])
  t.match(plan.facts, { servers: 3, families: 1, foreignKeys: 0 })
  const { code, stderr, report } = await drill(scene, [
    ...['redis-loss', '--execute', '--confirm', scene.host, '--redis-url', url],
  ])
  t.equal(code, 0, stderr + JSON.stringify(report.observations))
  t.strictSame(seenOf(report), plannedOf(plan, seenOf(report)))
})
