// The pepper: which one a hash was made with is written in it, and a missing one is no wrong password.

import { randomBytes } from 'node:crypto'
import { type Test, test } from 'tap'
import { parsePasswordPeppers } from '../../src/config/config-values.ts'
import { loadConfig } from '../../src/config/service-config.ts'
import { openPasswordPeppers } from '../../src/secrets/password-pepper.ts'
import { parseForeignHash, parsePasswordHash } from '../../src/users/password-hash.ts'
import { FAST_ARGON2, openCountingHasher } from '../scenes/user-fixture.ts'
import { logIn, startApp } from '../support/app.ts'

const PASSWORD = 'correct horse'

/** Peppers of different one-byte ids. */
const makePeppers = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, index) => Buffer.alloc(32, index + 1))

const hasherWith = (...peppers: Buffer[]) =>
  openCountingHasher(FAST_ARGON2, undefined, openPasswordPeppers(peppers)).hasher

test('the first pepper hashes, all verify, and another than the first is stale', async (t) => {
  const [old, fresh] = makePeppers(2) as [Buffer, Buffer]
  const plain = await hasherWith().hash(PASSWORD)
  const peppered = await hasherWith(old).hash(PASSWORD)
  t.match(peppered, /^\$argon2id\$v=19\$m=1024,t=1,p=1,keyid=[A-Za-z0-9+/]{2}\$/)
  t.match(plain, /^\$argon2id\$v=19\$m=1024,t=1,p=1\$/)
  const verify = (peppers: Buffer[], hash: string, password = PASSWORD) =>
    hasherWith(...peppers).verify(hash, password)
  const good = { matches: true, isStale: false, problem: undefined }
  t.strictSame(await verify([old], peppered), good)
  t.strictSame(await verify([old, fresh], peppered), good)
  t.strictSame(await verify([fresh, old], peppered), { ...good, isStale: true })
  t.strictSame(await verify([fresh], plain), { ...good, isStale: true })
  t.strictSame(await verify([], plain), good)
  t.match(await verify([old], peppered, 'wrong horse'), { matches: false, problem: undefined })
  const missing = { matches: false, problem: 'pepper_missing' }
  for (const peppers of [[], [fresh]]) t.match(await verify(peppers, peppered), missing)
})

test('the pepper counts, and not only its name', async (t) => {
  const [pepper] = makePeppers(1) as [Buffer]
  const peppered = await hasherWith(pepper).hash(PASSWORD)
  const { id } = openPasswordPeppers([pepper]).current ?? {}
  let same = randomBytes(32)
  while (openPasswordPeppers([same]).current?.id !== id) same = randomBytes(32)
  t.match(await hasherWith(same).verify(peppered, PASSWORD), { matches: false, problem: undefined })
  const without = peppered.replace(/,keyid=../, '')
  t.match(await hasherWith(pepper).verify(without, PASSWORD), { matches: false })
})

test('a hash with a pepper costs what one without does, and cannot be imported', async (t) => {
  const [pepper] = makePeppers(1) as [Buffer]
  const peppered = await hasherWith(pepper).hash(PASSWORD)
  const plain = await hasherWith().hash(PASSWORD)
  t.strictSame(parsePasswordHash(peppered)?.cost, parsePasswordHash(plain)?.cost)
  t.equal(parseForeignHash(peppered), undefined)
  t.ok(parseForeignHash(plain))
})

test('two peppers of one id, or a short one, are refused without being repeated', async (t) => {
  const [pepper] = makePeppers(1) as [Buffer]
  const text = pepper.toString('base64url')
  const problemOf = (value: string) => {
    try {
      parsePasswordPeppers(value)
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  }
  t.equal(problemOf(text), undefined)
  t.match(problemOf(`${text},${text}`), /same one-byte id/)
  t.match(problemOf('c2hvcnQ'), /32 or more bytes in base64url/)
  t.match(problemOf(`${text}=`), /32 or more bytes in base64url/)
  for (const bad of [`${text},${text}`, `${text}=`]) t.notMatch(problemOf(bad), text)
})

test('the setting is a secret: from a file, too, and two of one id stop the start', async (t) => {
  const [pepper] = makePeppers(1) as [Buffer]
  const text = pepper.toString('base64url')
  const { passwordPeppers } = loadConfig(
    { LINEAGE_PASSWORD_PEPPER_FILE: '/pepper' },
    () => `${text}\n`,
  )
  t.strictSame(passwordPeppers?.current, openPasswordPeppers([pepper]).current)
  t.equal(loadConfig({}).passwordPeppers, undefined)
  const start = () => loadConfig({ LINEAGE_PASSWORD_PEPPER: `${text},${text}` })
  t.throws(start, {
    message: /LINEAGE_PASSWORD_PEPPER lists two secrets with the same one-byte id/,
  })
})

test('a rotation through the service: each login carries its user over', async (t) => {
  const [old, fresh] = makePeppers(2) as [Buffer, Buffer]
  const first = await startApp(t, { config: { passwordPeppers: openPasswordPeppers([old]) } })
  const { id, username, password } = await first.makeUser()
  const client = await first.makeClient({})
  const beside = (peppers: Buffer[]) =>
    startApp(t, { beside: first, config: { passwordPeppers: openPasswordPeppers(peppers) } })
  const hashOf = async () => (await first.service.users.findCredentials(id as never))?.passwordHash
  const before = await hashOf()
  t.match(before, /,keyid=/)
  t.ok(await logIn(await beside([old, fresh]), client, { username, password }))
  t.equal(await hashOf(), before, 'the first still hashes')
  t.ok(await logIn(await beside([fresh, old]), client, { username, password }))
  const after = await hashOf()
  t.not(after, before)
  t.ok(await logIn(await beside([fresh]), client, { username, password }))
  t.equal(await hashOf(), after)
  await refusesWithReason(t, await beside([old]), client.id, { username, password })
  await refusesWithReason(t, await beside([]), client.id, { username, password })
})

async function refusesWithReason(
  t: Test,
  app: Awaited<ReturnType<typeof startApp>>,
  client_id: string,
  user: { username: string; password: string },
) {
  const ask = (username: string) =>
    app.form('/token', { grant_type: 'password', client_id, ...user, username })
  const [answer, ofNobody] = [await ask(user.username), await ask('nobody')]
  t.equal(answer.status, 400)
  t.equal(await answer.text(), await ofNobody.text(), 'nothing is told outside')
  t.ok(app.log.some(({ reason }) => reason === 'login_pepper_missing'))
}
