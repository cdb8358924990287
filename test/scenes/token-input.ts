// A family, its user and its client as the access-token tests know them, and keys without a
// database.

import type { Client, ClientId } from '../../src/clients/client.ts'
import type { Family, FamilyId } from '../../src/families/family.ts'
import { generateKey, openKeyMaterial } from '../../src/keys/key-material.ts'
import type { SigningKey } from '../../src/keys/key-states.ts'
import type { SigningAlg } from '../../src/keys/signing-algorithms.ts'
import {
  buildUserClaims,
  type UserTokenClaims,
  type UserTokenInput,
} from '../../src/tokens/access-token.ts'
import type { UserId, UserRecord } from '../../src/users/user.ts'
import { rootSecretsOf } from '../support/root-secrets.ts'
import { ISSUER } from './key-instances.ts'

export const ROTATED_AT_MS = Date.parse('2026-03-01T12:00:00.400Z')
export const CREATED_AT_MS = Date.parse('2026-02-20T08:30:00.900Z')
const DAY_MS = 86_400_000

export const family: Family = {
  familyId: '6b1f6c1e-52a5-4b06-9c7e-0d9ce0b1a111' as FamilyId,
  userId: '0f8fad5b-d9cb-469f-a165-70867728950e' as UserId,
  clientId: 'c_abcdefghijklmnopqrstuv' as ClientId,
  scope: ['orders:read', 'orders:write'],
  audience: ['https://orders.example', 'https://billing.example'],
  amr: ['pwd', 'otp'],
  confirmation: undefined,
  secretHash: 'x'.repeat(43),
  generation: 3,
  epoch: 0,
  createdAtMs: CREATED_AT_MS,
  rotatedAtMs: ROTATED_AT_MS,
  usedAtMs: ROTATED_AT_MS,
  idleExpiresAtMs: ROTATED_AT_MS + 14 * DAY_MS,
  absoluteExpiresAtMs: CREATED_AT_MS + 90 * DAY_MS,
  ended: undefined,
  ip: '192.0.2.1',
  userAgent: 'test',
  retriedElsewhere: 0,
}

export const user: UserRecord = {
  userId: family.userId,
  epoch: 0,
  status: 'active',
  roles: ['support'],
  version: 7,
  epochLog: [],
}

export const client: Pick<Client, 'id' | 'accessTokenTtlSeconds' | 'signingAlg'> = {
  signingAlg: null,
  id: family.clientId,
  accessTokenTtlSeconds: 600,
}

export function userTokenInput(overrides: Partial<UserTokenInput> = {}): UserTokenInput {
  return {
    issuer: ISSUER,
    family,
    user,
    client,
    scope: family.scope,
    audience: family.audience.slice(0, 1),
    confirmation: undefined,
    rootSecret: rootSecretsOf(1).current,
    ...overrides,
  }
}

/** Claims of a token that was issued at `nowMs`. */
export function userClaimsAt(nowMs: number): UserTokenClaims {
  return buildUserClaims(userTokenInput({ family: { ...family, rotatedAtMs: nowMs } }))
}

export async function makeKey(alg: SigningAlg = 'ES256'): Promise<SigningKey> {
  const generated = await generateKey(alg)
  return {
    kid: generated.kid,
    material: openKeyMaterial(generated),
    publishedAtMs: 0,
    activeFromMs: 0,
    signsUntilMs: undefined,
    wantedAtMs: 0,
    longestTokenSeconds: 600,
  }
}
