import { decodeProtectedHeader } from 'jose'
import { test } from 'tap'
import { openPlainQuery } from '../../src/database/plain-query.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { raiseLongestTokenLife } from '../../src/keys/key-rows.ts'
import { type KeyInstance, openKeyInstances, statesOf } from '../scenes/key-instances.ts'
import { userClaimsAt } from '../scenes/token-input.ts'

const DAY = 86_400
const kidsOf = (keys: KeyInstance): string[] => keys.list().map(({ kid }) => kid)
const signerOf = (keys: KeyInstance, nowMs: number) =>
  decodeProtectedHeader(keys.sign(userClaimsAt(nowMs))).kid

test('a key lives from next over active and retiring to its end, by the clock alone', async (t) => {
  const { clock, database, open } = await openKeyInstances(t)
  const keys = await open()
  const [first] = kidsOf(keys)
  clock.step(30 * DAY - 1)
  await keys.tick()
  t.strictSame(statesOf(keys), ['active'])
  clock.step(1)
  await keys.tick()
  t.strictSame(statesOf(keys), ['active', 'next'])
  const second = kidsOf(keys)[1]
  await keys.tick()
  t.equal(keys.list().length, 2, 'one successor is enough')

  clock.step(359.999)
  t.equal(signerOf(keys, clock()), first)
  clock.step(0.001)
  t.equal(signerOf(keys, clock()), second)
  t.strictSame(statesOf(keys), ['retiring', 'active'])
  t.equal(keys.list()[0]?.retireAt, new Date(clock() + 660_000).toJSON())

  clock.step(659.999)
  await keys.tick()
  t.strictSame(statesOf(keys), ['retiring', 'active'])
  clock.step(0.001)
  t.strictSame(kidsOf(keys), [second], 'gone before anybody has deleted it')
  await keys.tick()
  t.equal(await (await database.prisma()).signingKey.count(), 1)
  t.strictSame(keys.events, [
    `key.published ${first}`,
    `key.activated ${first}`,
    `key.published ${second}`,
    `key.activated ${second}`,
    `key.retired ${first}`,
  ])
})

test('two instances whose rotation falls due together make one successor', async (t) => {
  const { clock, database, open } = await openKeyInstances(t)
  const [one, two] = [await open(), await open()]
  clock.step(30 * DAY)
  await Promise.all([one.tick(), two.tick(), one.tick(), two.tick()])
  t.equal(await (await database.prisma()).signingKey.count(), 2)
  t.strictSame(kidsOf(one), kidsOf(two))
  clock.step(DAY)
  await Promise.all([one.tick(), two.tick()])
  t.equal(await (await database.prisma()).signingKey.count(), 1)
  const said = [...one.events, ...two.events].filter((event) => !/activated/.test(event))
  t.equal(said.length, 3, 'published twice and retired once, each by one instance')
})

test('a change is told to the other instances through the table versions', async (t) => {
  const { clock, database, open } = await openKeyInstances(t)
  const keys = await open()
  const version = async () =>
    (await (await database.prisma()).tableVersion.findUnique({ where: { name: 'signing_keys' } }))
      ?.version
  const versions = [await version()]
  await keys.tick()
  t.equal(await version(), versions[0], 'nothing was due')
  await keys.rotate({ compromised: false })
  versions.push(await version())
  clock.step(DAY)
  await keys.tick()
  versions.push(await version())
  await keys.rotate({ compromised: true })
  versions.push(await version())
  t.equal(new Set(versions).size, versions.length, 'published, retired, compromised')
})

test('a verifier that caches JWKS for max-age knows the kid of every token (C75)', async (t) => {
  const { clock, open } = await openKeyInstances(t)
  const config = { keyRotationDays: 1, jwksMaxAgeSeconds: 300, accessTokenTtlSeconds: 600 }
  // One keeps its table up to date, the other sees changes late; a verifier asks the one or the other.
  const instances = [await open(config), await open(config)] as const
  clock.step(DAY - 5)
  const verifiers = Array.from({ length: 40 }, (_, index) => ({
    source: instances[index % 2 === 0 ? 0 : 1],
    fetchedAtMs: clock() - index * 7_500,
    kids: kidsOf(instances[0]),
  }))
  const alive: { kid: string | undefined; expMs: number }[] = []
  const signers = new Set<string | undefined>()
  const unknown: string[] = []

  for (let second = -5; second < 1200; second += 5) {
    await instances[0].tick()
    for (const keys of instances) {
      const claims = userClaimsAt(clock())
      const { kid } = decodeProtectedHeader(keys.sign(claims))
      signers.add(kid)
      alive.push({ kid, expMs: claims.exp * 1000 })
    }
    for (const verifier of verifiers) {
      if (clock() - verifier.fetchedAtMs >= 300_000) {
        verifier.kids = kidsOf(verifier.source)
        verifier.fetchedAtMs = clock()
      }
      for (const { kid = '', expMs } of alive) {
        if (clock() < expMs && !verifier.kids.includes(kid)) unknown.push(`${kid} at ${second} s`)
      }
    }
    if (second % 10 !== 0) await instances[1].reload()
    clock.step(5)
  }
  t.equal(signers.size, 2, 'the key changed meanwhile')
  t.strictSame(unknown, [])
})

test('an instance whose clock is behind signs with the first key all the same', async (t) => {
  const { clock, open } = await openKeyInstances(t)
  const ahead = await open()
  const behind = await open({ clock: () => clock() - 4_000 })
  const claims = userClaimsAt(clock())
  t.strictSame(ahead.verify(behind.sign(claims)), claims)
  t.strictSame(behind.verify(ahead.sign(claims)), claims)
  await behind.tick()
  t.equal(behind.list().length, 1)
})

test('a key stays for as long as the longest-lived token of any client (C75)', async (t) => {
  const { clock, database, open } = await openKeyInstances(t)
  const keys = await open()
  const longest = async () =>
    (await (await database.prisma()).signingKey.findMany({ orderBy: { activeFrom: 'asc' } })).map(
      (row) => row.longestTokenSeconds,
    )
  const raise = (seconds: number) =>
    inTransaction(database.pool, (client) => raiseLongestTokenLife(openPlainQuery(client), seconds))
  t.strictSame(await longest(), [600])
  await raise(7200)
  await raise(60)
  t.strictSame(await longest(), [7200], 'it only rises')
  await (await database.prisma()).client.create({
    data: {
      id: 'slow',
      name: 'slow',
      type: 'public',
      grantTypes: [],
      accessTokenTtlSeconds: 5000,
      sessionsValidFrom: new Date(0),
    },
  })
  await keys.rotate({ compromised: false })
  t.strictSame(await longest(), [7200, 5000], 'a new key follows the clients there are')
  await open({ accessTokenTtlSeconds: 6000 })
  t.strictSame(await longest(), [7200, 6000], 'a start raises to the configuration')

  await keys.reload()
  clock.step(360 + 7259)
  t.strictSame(statesOf(keys), ['retiring', 'active'])
  clock.step(1)
  t.strictSame(statesOf(keys), ['active'])
})
