import { test } from 'tap'
import { UnreadableKey } from '../../src/keys/unreadable-key.ts'
import { StartError } from '../../src/runtime/start-error.ts'
import { openKeyInstances } from '../scenes/key-instances.ts'
import { userClaimsAt } from '../scenes/token-input.ts'
import { rootSecretsOf } from '../support/root-secrets.ts'

test('the root secret is changed by adding the new one, then taking out the old one', async (t) => {
  const { clock, database, open } = await openKeyInstances(t)
  const claims = userClaimsAt(clock())
  const before = await open({ rootSecrets: rootSecretsOf(1) })
  await before.rotate({ compromised: false })
  const token = before.sign(claims)

  await t.rejects(open({ rootSecrets: rootSecretsOf(2) }), StartError, 'too early')
  const between = await open({ rootSecrets: rootSecretsOf(2, 1) })
  t.strictSame(between.list(), before.list())
  const ids = await (await database.prisma()).signingKey.findMany({
    select: { rootSecretId: true },
  })
  const { id } = rootSecretsOf(2).current
  t.strictSame(ids, [{ rootSecretId: id }, { rootSecretId: id }])

  await before.reload()
  t.strictSame(before.verify(between.sign(claims)), claims, 'one that runs still goes on')
  const after = await open({ rootSecrets: rootSecretsOf(2) })
  t.strictSame(after.verify(token), claims)
  t.strictSame(before.verify(after.sign(claims)), claims)
})

test('a key that no root secret opens stops the start and names the key', async (t) => {
  const { database, open } = await openKeyInstances(t)
  const [key] = (await open()).list()
  await t.rejects(open({ rootSecrets: rootSecretsOf(3, 2) }), {
    name: 'StartError',
    message: `signing key ${key?.kid} cannot be read: no secret of LINEAGE_SECRET_KEY decrypts it`,
  })
  t.equal(await (await database.prisma()).signingKey.count(), 1, 'nothing is made in its place')
})

test('private parts swapped between two rows stop the start', async (t) => {
  const { database, open } = await openKeyInstances(t)
  await (await open()).rotate({ compromised: false })
  const [one, two] = await (await database.prisma()).signingKey.findMany()
  if (!one || !two) throw new Error('two keys are needed')
  for (const [row, other] of [
    [one, two],
    [two, one],
  ] as const) {
    await (await database.prisma()).signingKey.update({
      where: { kid: row.kid },
      data: { privateKeyEncrypted: other.privateKeyEncrypted },
    })
  }
  await t.rejects(open(), StartError)
})

test("an algorithm in the table that is not the key's stops the start", async (t) => {
  const { database, open } = await openKeyInstances(t)
  await open()
  for (const alg of ['HS256', 'none', 'RS256', 'constructor']) {
    await (await database.prisma()).signingKey.updateMany({ data: { alg } })
    await t.rejects(open(), StartError, alg)
  }
})

test('a new key that a running instance cannot open leaves it with the keys it has', async (t) => {
  const { clock, open } = await openKeyInstances(t)
  const old = await open({ rootSecrets: rootSecretsOf(1) })
  const before = old.list()
  const newer = await open({ rootSecrets: rootSecretsOf(2, 1) })
  await newer.rotate({ compromised: false })
  await t.rejects(old.reload(), UnreadableKey)
  t.strictSame(old.list(), before)
  const claims = userClaimsAt(clock())
  t.strictSame(newer.verify(old.sign(claims)), claims)
})
