// Which ids and names are taken in the table of users, looked up many at a time.

import { type Database, guardDatabase } from '../database/database.ts'

export const USER_KEYS = ['id', 'username', 'email'] as const

/** The id and names, which no two users may share, in the form in which they are compared. */
export type UserKeys = { readonly [Name in (typeof USER_KEYS)[number]]: string | undefined }

/** Those of `all` that are taken, each as the name of its column, a space and its value. */
export async function findTakenKeys(
  all: readonly UserKeys[],
  { prisma }: Pick<Database, 'prisma'>,
): Promise<ReadonlySet<string>> {
  const valuesOf = (name: keyof UserKeys) => all.flatMap((keys) => keys[name] ?? [])
  const where = {
    OR: [
      { id: { in: valuesOf('id') } },
      { usernameKey: { in: valuesOf('username') } },
      { emailKey: { in: valuesOf('email') } },
    ],
  }
  const select = { id: true, usernameKey: true, emailKey: true }
  const { user } = await prisma()
  const rows = await guardDatabase(() => user.findMany({ where, select }))
  return new Set(
    rows.flatMap((row) => [`id ${row.id}`, `username ${row.usernameKey}`, `email ${row.emailKey}`]),
  )
}
