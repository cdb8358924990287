// Argon2 (RFC 9106): computed on a thread of libuv's pool by the package `argon2`.

import argon2 from 'argon2'
import { type Argon2Parameters, parseParameters, workOf } from '../argon2-parameters.ts'
import type { PasswordCost, PasswordWork } from '../password-scheme.ts'

const VARIANTS = {
  d: argon2.argon2d,
  i: argon2.argon2i,
  id: argon2.argon2id,
} as const

export type Argon2Variant = keyof typeof VARIANTS

const SALT = Buffer.alloc(16, 'equal work')
const HASH_BYTES = 32

export interface Argon2Input extends Argon2Parameters {
  readonly variant: Argon2Variant
  readonly salt: Buffer
  readonly hashBytes: number
  /** The pepper (RFC 9106 §3.1, secret value K). */
  readonly secret?: Buffer | undefined
}

/** Time depends on how much memory is filled as well as on how often: the settings are exact. */
export function argon2Cost(variant: Argon2Variant, parameters: Argon2Parameters): PasswordCost {
  const { memoryKib, time, parallelism } = parameters
  return {
    group: `argon2 ${variant}-${parallelism}`,
    work: workOf(parameters),
    settings: `m=${memoryKib},t=${time},p=${parallelism}`,
  }
}

export async function deriveArgon2(password: Buffer, input: Argon2Input): Promise<Buffer> {
  const { variant, memoryKib, time, parallelism, salt, hashBytes, secret } = input
  return await argon2.hash(password, {
    raw: true,
    type: VARIANTS[variant],
    memoryCost: memoryKib,
    timeCost: time,
    parallelism,
    salt,
    hashLength: hashBytes,
    ...(secret && { secret }),
  })
}

export const argon2Work: PasswordWork = {
  family: 'argon2',
  async spend({ group, settings }, password) {
    const variant = /^argon2 (id|i|d)-/.exec(group)?.[1] as Argon2Variant | undefined
    const parameters = parseParameters(settings)
    if (!variant || !parameters) throw new Error('not a cost of Argon2')
    await deriveArgon2(password, { variant, ...parameters, salt: SALT, hashBytes: HASH_BYTES })
  },
}
