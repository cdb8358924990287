// Password hashes that other people's programs made, as test/users/make-password-vectors.py says.

import { readFileSync } from 'node:fs'

export interface PasswordVector {
  readonly madeBy: string
  readonly password: string
  readonly hash: string
}

export const PASSWORD_VECTORS: readonly PasswordVector[] = JSON.parse(
  readFileSync(new URL('./password-vectors.json', import.meta.url), 'utf8'),
)

/** One of each spelling, all of them quickly verified. */
export const SPELLINGS: Readonly<Record<string, PasswordVector>> = Object.fromEntries(
  [
    '$argon2id$',
    '$argon2i$',
    '$argon2d$',
    '$2a$',
    '$2b$',
    '$2y$',
    '$pbkdf2$',
    '$pbkdf2-sha256$',
    '$pbkdf2-sha512$',
    'pbkdf2_sha1$',
    'pbkdf2_sha256$',
    'pbkdf2_sha512$',
    '$scrypt$',
    'scrypt:',
    'scrypt$',
    '$fbscrypt$',
    '$6$',
    '$6$rounds=',
  ].map((start) => {
    const found = PASSWORD_VECTORS.find(
      ({ password, hash }) => hash.startsWith(start) && password.includes(' '),
    )
    const vector = found ?? PASSWORD_VECTORS.find(({ hash }) => hash.startsWith(start))
    if (!vector) throw new Error(`no vector begins with ${start}`)
    return [start, vector]
  }),
)
