import { test } from 'tap'
import { hashClientSecret } from '../../src/clients/client-secret.ts'
import type { PageKey } from '../../src/database/keyset-page.ts'
import { allAtOnce, LIMITS, MINIMAL, NOW, openInstances } from '../scenes/client-fixtures.ts'

type Instance = ReturnType<Awaited<ReturnType<typeof openInstances>>>

/** Creates a client that must be good, and hands out what was created. */
async function create({ store }: Instance, input: Parameters<Instance['store']['create']>[0]) {
  const created = await store.create(input)
  if (!created.ok) throw new Error(JSON.stringify(created.errors))
  return created.value
}

async function tableVersion({ database }: Instance, name: string): Promise<number> {
  const row = await (await database.prisma()).tableVersion.findUnique({ where: { name } })
  return Number(row?.version ?? 0)
}

test('a confidential client is created with one secret, kept as a hash (C30)', async (t) => {
  const instance = (await openInstances(t))()
  const { client, clientSecret = '' } = await create(instance, MINIMAL)
  t.match(client, { ...MINIMAL, ...LIMITS, createdAt: new Date(NOW), updatedAt: new Date(NOW) })
  t.match(client.id, /^c_/)
  t.match(clientSecret, /^lcs_/)
  t.strictSame(client.secrets[0]?.hash, hashClientSecret(clientSecret))
  t.strictSame(client.sessionsValidFrom, new Date(NOW + 1), 'older families stay dead')
  t.strictSame(await instance.store.find(client.id), client)
  const stored = await instance.database.pool.query('SELECT * FROM clients, client_secrets')
  t.notMatch(JSON.stringify(stored.rows), clientSecret)
})

test('a public client is created without a secret', async (t) => {
  const instance = (await openInstances(t))()
  const input = { ...MINIMAL, type: 'public', grantTypes: ['password'] } as const
  const { client, clientSecret } = await create(instance, input)
  t.equal(clientSecret, undefined)
  t.strictSame(client.secrets, [])
})

test('a chosen id is a slug that nobody has yet, the bootstrap client included', async (t) => {
  const instance = (await openInstances(t))({ reservedId: 'root-admin' })
  t.equal((await create(instance, { ...MINIMAL, id: 'web' })).client.id, 'web')
  await t.rejects(create(instance, { ...MINIMAL, id: 'web' }), {
    name: 'AlreadyTaken',
    pointer: '/id',
  })
  await t.rejects(create(instance, { ...MINIMAL, id: 'root-admin' }), { name: 'AlreadyTaken' })
  for (const id of ['W', 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee', 'c_aaaaaaaaaaaaaaaaaaaaaa']) {
    t.match(await instance.store.create({ ...MINIMAL, id, name: '' }), {
      ok: false,
      errors: [{ pointer: '/id' }, { pointer: '/name' }],
    })
  }
})

test('limits that a client does not state follow the configuration when it changes', async (t) => {
  const open = await openInstances(t)
  const { client } = await create(open(), { ...MINIMAL, refreshGraceSeconds: 10 })
  const later = open({
    defaults: { ...LIMITS, accessTokenTtlSeconds: 60, refreshGraceSeconds: 20 },
  })
  t.match(await later.store.find(client.id), { accessTokenTtlSeconds: 60, refreshGraceSeconds: 10 })
  t.match(await later.store.patch(client.id, { refreshGraceSeconds: null }), {
    value: { refreshGraceSeconds: 20 },
  })
})

test('a patch merges as RFC 7396 does and checks the whole', async (t) => {
  let now = NOW
  const instance = (await openInstances(t))({ clock: () => now })
  const input = { ...MINIMAL, scopes: ['a', 'b'], defaultScopes: ['a'], accessTokenTtlSeconds: 90 }
  const { client } = await create(instance, input)
  now += 1000
  t.strictSame(
    await instance.store.patch(client.id, { scopes: ['a'], accessTokenTtlSeconds: null }),
    {
      ok: true,
      value: {
        ...client,
        scopes: ['a'],
        accessTokenTtlSeconds: LIMITS.accessTokenTtlSeconds,
        updatedAt: new Date(now),
      },
    },
  )
  const refused = await instance.store.patch(client.id, { name: null, scopes: ['b'] })
  t.match(refused, { ok: false, errors: [{ pointer: '/name' }] })
  t.match(await instance.store.patch(client.id, { scopes: [] }), {
    errors: [{ pointer: '/defaultScopes/0' }],
  })
  t.match(await instance.store.find(client.id), { name: MINIMAL.name, scopes: ['a'] })
  t.equal(await instance.store.patch('nobody', { name: 'x' }), undefined)
})

test('two administrators on two instances never overwrite each other', async (t) => {
  const open = await openInstances(t)
  const instances = [open(), open()] as const
  const { client } = await create(instances[0], MINIMAL)
  const patches = [
    { name: 'Renamed' },
    { scopes: ['a'] },
    { audiences: ['https://api.example'] },
    { forwardsClientIp: true },
    { accessTokenTtlSeconds: 77 },
    { authMethods: ['client_secret_post'] },
  ] as const
  await allAtOnce(
    instances[0].database,
    patches.map(
      (patch, index) => () => instances[index % 2 === 0 ? 0 : 1].store.patch(client.id, patch),
    ),
  )
  t.match(await instances[0].store.find(client.id), Object.assign({}, ...patches))
})

test('two patches that exclude each other are never both stored', async (t) => {
  const open = await openInstances(t)
  const [first, second] = [open(), open()]
  const { client } = await create(first, { ...MINIMAL, scopes: ['a'] })
  const outcomes = await allAtOnce(first.database, [
    () => first.store.patch(client.id, { defaultScopes: ['a'] }),
    () => second.store.patch(client.id, { scopes: [] }),
  ])
  t.strictSame(outcomes.map((outcome) => outcome?.ok).sort(), [false, true])
})

test('pages through all clients, oldest first, ties by id', async (t) => {
  let now = NOW
  const instance = (await openInstances(t))({ clock: () => now })
  for (const id of ['bb', 'aa', 'cc']) await create(instance, { ...MINIMAL, id })
  now -= 5
  await create(instance, { ...MINIMAL, id: 'zz' })
  const idsOf = async (limit: number, after?: PageKey) =>
    (await instance.store.list({ limit, after })).items.map(({ id }) => String(id))
  t.strictSame(await idsOf(2), ['zz', 'aa'])
  t.strictSame(await idsOf(9, { at: new Date(NOW), id: 'aa' }), ['bb', 'cc'])
  t.strictSame(await idsOf(9, { at: new Date(NOW), id: 'cc' }), [])
  const all = await instance.store.loadAll()
  t.strictSame(
    all.map((client) => client.id),
    ['zz', 'aa', 'bb', 'cc'],
  )
})

test('a deleted client is gone with its secrets, and its id may be used again', async (t) => {
  const instance = (await openInstances(t))()
  await create(instance, { ...MINIMAL, id: 'web' })
  t.equal(await instance.store.delete('web'), true)
  t.equal(await instance.store.delete('web'), false)
  t.equal(await instance.store.find('web'), undefined)
  t.equal(await (await instance.database.prisma()).clientSecret.count(), 0)
  const { client } = await create(instance, { ...MINIMAL, id: 'web' })
  t.strictSame(
    client.sessionsValidFrom,
    new Date(NOW + 1),
    'families of the first one stay dead, also those of this very millisecond',
  )
})

test('two secrets overlap, a third is refused, also when three come at once (C30)', async (t) => {
  const open = await openInstances(t)
  const [first, second] = [open(), open()]
  const { client } = await create(first, MINIMAL)
  const outcomes = await allAtOnce(
    first.database,
    [first, second, first].map((instance) => () => instance.store.addSecret(client.id)),
  )
  t.equal(outcomes.filter((outcome) => outcome === 'refused').length, 2)
  const added = outcomes.find((outcome) => typeof outcome === 'object')
  t.match(added, { clientSecret: /^lcs_/, createdAt: new Date(NOW) })
  const stored = await second.store.find(client.id)
  t.equal(stored?.secrets.length, 2)
  t.ok(
    stored?.secrets.some((secret) =>
      secret.hash.equals(hashClientSecret(added?.clientSecret ?? '')),
    ),
  )
  t.equal(await first.store.addSecret('nobody'), undefined)
})

test('the last secret of a confidential client stays, also when both go at once', async (t) => {
  const open = await openInstances(t)
  const [first, second] = [open(), open()]
  const { client } = await create(first, MINIMAL)
  await first.store.addSecret(client.id)
  const ids = (await first.store.find(client.id))?.secrets.map((secret) => secret.id) ?? []
  const outcomes = await allAtOnce(first.database, [
    () => first.store.removeSecret(client.id, ids[0] ?? ''),
    () => second.store.removeSecret(client.id, ids[1] ?? ''),
  ])
  t.strictSame(outcomes.map(String).sort(), ['refused', 'true'])
  t.equal((await first.store.find(client.id))?.secrets.length, 1)
})

test('a secret is removed through its own client only', async (t) => {
  const instance = (await openInstances(t))()
  const { client } = await create(instance, MINIMAL)
  const { client: other } = await create(instance, MINIMAL)
  await instance.store.addSecret(client.id)
  const secretId = client.secrets[0]?.id ?? ''
  t.equal(await instance.store.removeSecret(other.id, secretId), false)
  t.equal(await instance.store.removeSecret('nobody', secretId), false)
  t.equal(await instance.store.removeSecret(client.id, secretId), true)
  t.equal(await instance.store.removeSecret(client.id, secretId), false, 'repeated')
})

test('a client that becomes public loses its secrets, and is given none', async (t) => {
  const instance = (await openInstances(t))()
  const { client } = await create(instance, MINIMAL)
  const patch = { type: 'public', grantTypes: [], authMethods: null } as const
  t.match(await instance.store.patch(client.id, patch), { ok: true, value: { secrets: [] } })
  t.equal(await instance.store.addSecret(client.id), 'refused')
  t.equal(await instance.store.removeSecret(client.id, client.secrets[0]?.id ?? ''), false)
})

test('ending sessions reaches those of this very millisecond, and never goes back', async (t) => {
  const open = await openInstances(t)
  const [ahead, behind] = [open({ clock: () => NOW + 5000 }), open()]
  await create(behind, { ...MINIMAL, id: 'web' })
  const validFrom = async () => (await behind.store.find('web'))?.sessionsValidFrom.getTime()
  t.equal(await behind.store.endSessions('web'), true)
  t.equal(await validFrom(), NOW + 2, 'also of those that began with the client itself')
  await ahead.store.endSessions('web')
  t.equal(await validFrom(), NOW + 5001)
  await behind.store.endSessions('web')
  t.equal(
    await validFrom(),
    NOW + 5002,
    'a clock that is behind revives nothing, and spares nobody',
  )
  t.equal(await behind.store.endSessions('nobody'), false)
})

test('every change raises the version of the table, what changes nothing does not', async (t) => {
  const instance = (await openInstances(t))()
  const { store } = instance
  const { client } = await create(instance, { ...MINIMAL, id: 'web' })
  const secretId = client.secrets[0]?.id ?? ''
  const changes = [
    () => store.patch('web', { name: 'x' }),
    () => store.addSecret('web'),
    () => store.removeSecret('web', secretId),
    () => store.endSessions('web'),
    () => store.delete('web'),
  ]
  for (const change of changes) {
    const before = await tableVersion(instance, 'clients')
    await change()
    t.ok((await tableVersion(instance, 'clients')) > before, change.toString())
  }
  const before = await tableVersion(instance, 'clients')
  for (const change of changes) await change()
  t.equal(await tableVersion(instance, 'clients'), before)
})

test('the longest token life is raised in the transaction of the change (C75)', async (t) => {
  const told: number[] = []
  const instance = (await openInstances(t))({
    raiseLongestTokenLife: async (_tx, seconds) => {
      told.push(seconds)
      if (seconds === 666) throw new Error('no')
    },
  })
  await create(instance, { ...MINIMAL, id: 'web' })
  await instance.store.patch('web', { accessTokenTtlSeconds: 900 })
  t.strictSame(told, [LIMITS.accessTokenTtlSeconds, 900])
  await t.rejects(instance.store.patch('web', { accessTokenTtlSeconds: 666 }))
  t.match(await instance.store.find('web'), { accessTokenTtlSeconds: 900 })
})
