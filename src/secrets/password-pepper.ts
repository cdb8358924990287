// The pepper of password hashes: a secret beside the database, without which a stolen hash cannot be
// guessed at. What is hashed with is derived from it, and so is the byte that names it in a hash.

import { hkdfSync } from 'node:crypto'

export interface PasswordPepper {
  /** Names the pepper inside hashes: the first byte of an HKDF output of its own. */
  readonly id: number
  /** Argon2's secret value (RFC 9106 §3.1). */
  readonly key: Buffer
}

/** The configured peppers: the first hashes, all verify. */
export interface PasswordPeppers {
  /** Undefined where none is configured: hashes are then made without. */
  readonly current: PasswordPepper | undefined
  byId(id: number): PasswordPepper | undefined
}

/** Throws RangeError when two of them have the same one-byte id. */
export function openPasswordPeppers(secrets: readonly Buffer[]): PasswordPeppers {
  const all = secrets.map(derivePepper)
  const byId = new Map(all.map((pepper) => [pepper.id, pepper]))
  if (byId.size !== all.length) throw new RangeError('two peppers have the same one-byte id')
  return { current: all[0], byId: (id) => byId.get(id) }
}

function derivePepper(secret: Buffer): PasswordPepper {
  const derive = (info: string, length: number) =>
    Buffer.from(hkdfSync('sha256', secret, '', `lineage/v1/${info}`, length))
  return {
    id: derive('password-pepper/id', 1).readUInt8(0),
    key: derive('password-pepper/argon2', 32),
  }
}
