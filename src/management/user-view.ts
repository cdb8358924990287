// A user as JSON: what the account itself and administrators see of it.

import type { User } from '../users/user.ts'
import type { View } from './view.ts'

export type UserView = View<User>

export function toUserView(user: User): UserView {
  const { id, username, email, emailVerified, status, roles } = user
  return {
    id,
    username,
    email,
    emailVerified,
    status,
    roles,
    createdAt: user.createdAt.toISOString(),
    updatedAt: user.updatedAt.toISOString(),
    passwordChangedAt: user.passwordChangedAt.toISOString(),
  }
}
