// The secret of an authenticator as the table has it: sealed under the root secret, for its factor and
// its user alone.

import { randomBytes } from 'node:crypto'
import type { RootSecrets } from '../secrets/root-secret.ts'
import { sealValue, unsealValue } from '../secrets/sealed-value.ts'
import type { UserId } from '../users/user.ts'
import type { FactorId } from './factor.ts'
import { TOTP_SECRET_BYTES } from './totp.ts'

export interface SealedFactorSecret {
  readonly secretEncrypted: Uint8Array<ArrayBuffer>
  readonly rootSecretId: number
}

interface Owner {
  readonly id: FactorId
  readonly userId: UserId
}

export function newFactorSecret(): Buffer {
  return randomBytes(TOTP_SECRET_BYTES)
}

export function sealFactorSecret(
  secret: Buffer,
  owner: Owner,
  { current }: RootSecrets,
): SealedFactorSecret {
  return {
    secretEncrypted: sealValue(secret, current.factorSecretKey, nameOf(owner)),
    rootSecretId: current.id,
  }
}

/** Undefined when no configured root secret opens it. */
export function unsealFactorSecret(
  { secretEncrypted, rootSecretId }: { secretEncrypted: Uint8Array; rootSecretId: number },
  owner: Owner,
  rootSecrets: RootSecrets,
): Buffer | undefined {
  const root = rootSecrets.byId(rootSecretId)
  return root && unsealValue(secretEncrypted, root.factorSecretKey, nameOf(owner))
}

function nameOf({ id, userId }: Owner): string {
  return `${userId} ${id}`
}
