// The kinds of login that must not be told apart, and the users that make them: each is refused, and
// for another reason.

import { pbkdf2Sync } from 'node:crypto'
import bcrypt from 'bcrypt'
import { formRequest } from '../load/http-connection.ts'

/** The next request of a class; every one is refused with 400. */
export type NextRequest = () => string

export type Admin = (method: string, path: string, body: object) => Promise<{ id: string }>

const USERS = 8
const RIGHT = 'the right password'
const WRONG = 'another passphrase'
const FAST_ITERATIONS = 1_000
const SLOW_ITERATIONS = 8_000
const BCRYPT_COST = 6

/** Makes the users; the classes by their names. */
export async function makeClasses(admin: Admin): Promise<ReadonlyMap<string, NextRequest>> {
  const client = await admin('POST', 'clients', {
    name: 'timed',
    type: 'public',
    grantTypes: ['password'],
  })
  const bcryptHash = await bcrypt.hash(RIGHT, BCRYPT_COST)
  const own = await makeUsers(admin, 'own', { password: RIGHT })
  const fast = await makeUsers(admin, 'fas', { passwordHash: djangoHash(FAST_ITERATIONS) })
  const slow = await makeUsers(admin, 'slo', { passwordHash: bcryptHash })
  // Nobody logs in as these: the fast ones have to be made as slow as they are.
  await makeUsers(admin, 'dea', { passwordHash: djangoHash(SLOW_ITERATIONS) })
  const disabled = await makeUsers(admin, 'off', { password: RIGHT }, async (id) => {
    await admin('PATCH', `users/${id}`, { status: 'disabled' })
  })
  const inTurn = (names: readonly string[], password: string): NextRequest => {
    let count = 0
    return () => {
      const username = names[count++ % names.length] ?? ''
      const form = { grant_type: 'password', client_id: client.id, username, password }
      return formRequest('/token', form)
    }
  }
  const unknown = Array.from({ length: USERS }, (_, index) => nameOf('non', index))
  return new Map([
    ['unknown user', inTurn(unknown, WRONG)],
    ['wrong password', inTurn(own, WRONG)],
    ['disabled user, right password', inTurn(disabled, RIGHT)],
    ['imported fast hash', inTurn(fast, WRONG)],
    ['imported slow hash', inTurn(slow, WRONG)],
  ])
}

/** All names have one length. */
const nameOf = (prefix: string, index: number) => `${prefix}-${index}`

async function makeUsers(
  admin: Admin,
  prefix: string,
  secret: object,
  then: (id: string) => Promise<void> = async () => {},
): Promise<string[]> {
  const names = Array.from({ length: USERS }, (_, index) => nameOf(prefix, index))
  for (const username of names) {
    const body = { username, email: `${username}@example.com`, ...secret }
    await then((await admin('POST', 'users', body)).id)
  }
  return names
}

/** As Django writes it. */
function djangoHash(iterations: number): string {
  const hash = pbkdf2Sync(RIGHT, 'saltsaltsalt', iterations, 32, 'sha256').toString('base64')
  return `pbkdf2_sha256$${iterations}$saltsaltsalt$${hash}`
}
