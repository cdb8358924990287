// What a password hash costs here: the defaults of Lineage's configuration, for everybody who takes
// part.

import { argon2id, hash } from 'argon2'

export const ARGON2_COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
export const PASSWORD = 'a-password-of-the-benchmark'

export function hashPassword(): Promise<string> {
  return hash(PASSWORD, { type: argon2id, ...ARGON2_COST })
}
