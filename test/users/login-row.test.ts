// The row of a login: the same as Prisma reads, and one for nobody that is not told from it by its size
// or its columns.

import { test } from 'tap'
import { findLoginRow, type RowReader } from '../../src/users/login-row.ts'
import { newUser, openUserFixture } from '../scenes/user-fixture.ts'

type Row = Readonly<Record<string, unknown>>

test('finds by either key what Prisma finds, and nobody by the same work', async (t) => {
  const { database, users } = await openUserFixture(t)
  const { id } = await users.create({ ...newUser('Alice'), roles: ['a', 'b'] })
  await users.logoutEverywhere(id)
  const client = await database.prisma()
  const read: Row[][] = []
  const reader: RowReader = {
    async $queryRawUnsafe<T>(statement: string, ...values: readonly unknown[]) {
      const rows = await client.$queryRawUnsafe<T>(statement, ...values)
      read.push(rows as Row[])
      return rows
    },
  }
  const expected = await client.user.findUnique({ where: { id } })
  for (const key of [{ usernameKey: 'alice' }, { emailKey: 'alice@example.org' }]) {
    t.match(await findLoginRow(key, reader), expected)
  }
  for (const key of [{ usernameKey: 'nobody' }, { emailKey: 'nobody@example.org' }]) {
    t.equal((await findLoginRow(key, reader)).isThere, false, 'what stands for nobody is nobody')
    t.equal(await users.findForLogin(key), undefined)
  }
  t.strictSame(
    read.map((rows) => rows.length),
    [1, 1, 1, 1],
  )
  const [ofAlice, , ofNobody] = read.map(([row]) => Object.entries(row ?? {}))
  const shapes = [ofAlice, ofNobody].map((entries = []) =>
    entries.map(([name, value]) => [name, typeof value, value instanceof Date]),
  )
  t.strictSame(shapes[1], shapes[0])
  await users.delete(id)
  t.equal((await findLoginRow({ usernameKey: 'alice' }, reader)).isThere, false)
})
