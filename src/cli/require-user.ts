// Finds the user that a command names by id, username or email.

import type { User } from '../users/user.ts'
import { parseUserId } from '../users/user-id.ts'
import { parseIdentifier } from '../users/user-names.ts'
import type { UserStore } from '../users/user-store.ts'
import { CommandFailure } from './command-failure.ts'

/** Throws CommandFailure when there is no such user. */
export async function requireUser(
  users: Pick<UserStore, 'findById' | 'findForLogin'>,
  name: string,
): Promise<User> {
  const id = parseUserId(name)
  const byId = id && (await users.findById(id))
  if (byId) return byId
  // A username can have the form of an id, so both are tried.
  const key = parseIdentifier(name)
  const byName = key && (await users.findForLogin(key))
  if (!byName) throw new CommandFailure('there is no such user')
  return byName.user
}
