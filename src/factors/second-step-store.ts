// What proves the second step of a login, once on whichever instance: one transaction counts the guess,
// uses up the code, and with it the token of the first step. In SQL of its own, because a login waits for
// it.

import type pg from 'pg'
import { inTransaction } from '../database/transaction.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import type { UserId } from '../users/user.ts'
import type { FactorId } from './factor.ts'
import { unsealFactorSecret } from './factor-secret.ts'
import type { MfaToken } from './mfa-token.ts'
import { hashRecoveryCode } from './recovery-code.ts'
import { findStep, readCode } from './totp.ts'

/** Wrong codes that one token takes; then the login begins anew. */
const MFA_GUESSES_MAX = 5

/** What was sent as the second step. */
export type Proof = { readonly otp: string } | { readonly recoveryCode: string }

export type ProofOutcome =
  /** `codesLeft`: how many recovery codes are left, where one was used. */
  | { readonly outcome: 'proved'; readonly codesLeft: number | undefined }
  | {
      readonly outcome:
        | 'mfa_token_used'
        | 'mfa_token_exhausted'
        | 'mfa_code_wrong'
        /** The code was right, and is used up: by another login, or by this token's twin. */
        | 'mfa_code_used'
        | 'mfa_recovery_code_wrong'
    }

export interface SecondStepStore {
  /** Atomic; rejects with DependencyUnavailable, and then nothing was used up. */
  prove(token: MfaToken, proof: Proof, nowMs: number): Promise<ProofOutcome>
}

export interface SecondStepDependencies {
  readonly pool: pg.Pool
  readonly rootSecrets: RootSecrets
}

export function openSecondStepStore(dependencies: SecondStepDependencies): SecondStepStore {
  const { pool, rootSecrets } = dependencies

  async function prove(
    client: pg.PoolClient,
    { id, userId, expiresAtMs }: MfaToken,
    proof: Proof,
    nowMs: number,
  ): Promise<ProofOutcome> {
    // The row stays locked until the commit, so one token is tried once at a time.
    const { rows } = await client.query<{ guesses: number; used: boolean }>(
      `INSERT INTO mfa_tokens AS held (id, guesses, expires_at) VALUES ($1, 1, $2)
       ON CONFLICT (id) DO UPDATE SET guesses = held.guesses + 1 RETURNING guesses, used`,
      [id, new Date(expiresAtMs)],
    )
    const [attempt] = rows
    if (!attempt || attempt.used) return { outcome: 'mfa_token_used' }
    if (attempt.guesses > MFA_GUESSES_MAX) return { outcome: 'mfa_token_exhausted' }
    const proved =
      'otp' in proof
        ? await useCode(client, userId, proof.otp, nowMs, rootSecrets)
        : await useRecoveryCode(client, userId, proof.recoveryCode)
    if (proved.outcome === 'proved') {
      await client.query('UPDATE mfa_tokens SET used = true WHERE id = $1', [id])
    }
    return proved
  }

  return {
    prove: (token, proof, nowMs) =>
      inTransaction(pool, (client) => prove(client, token, proof, nowMs)),
  }
}

interface SecretRow {
  readonly id: FactorId
  readonly secretEncrypted: Buffer
  readonly rootSecretId: number
}

async function useCode(
  client: pg.PoolClient,
  userId: UserId,
  otp: string,
  nowMs: number,
  rootSecrets: RootSecrets,
): Promise<ProofOutcome> {
  const { rows } = await client.query<SecretRow>(
    `SELECT id, secret_encrypted AS "secretEncrypted", root_secret_id AS "rootSecretId"
     FROM factors WHERE user_id = $1 AND status = 'active' ORDER BY created_at, id`,
    [userId],
  )
  const code = readCode(otp) ?? ''
  const matches = rows.flatMap((row) => {
    const secret = unsealFactorSecret(row, { id: row.id, userId }, rootSecrets)
    const step = secret && findStep(secret, code, nowMs)
    return step === undefined ? [] : [{ id: row.id, step }]
  })
  for (const { id, step } of matches) {
    // Whoever is first raises it; RFC 6238 §5.2: a code is accepted once.
    const { rowCount } = await client.query(
      'UPDATE factors SET last_step = $2 WHERE id = $1 AND last_step < $2',
      [id, step],
    )
    if (rowCount === 1) return { outcome: 'proved', codesLeft: undefined }
  }
  return { outcome: matches.length > 0 ? 'mfa_code_used' : 'mfa_code_wrong' }
}

async function useRecoveryCode(
  client: pg.PoolClient,
  userId: UserId,
  text: string,
): Promise<ProofOutcome> {
  const { rowCount } = await client.query(
    'DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2',
    [userId, hashRecoveryCode(userId, text) ?? Buffer.alloc(0)],
  )
  if (rowCount !== 1) return { outcome: 'mfa_recovery_code_wrong' }
  const { rows } = await client.query<{ left: number }>(
    'SELECT count(*)::int AS left FROM recovery_codes WHERE user_id = $1',
    [userId],
  )
  return { outcome: 'proved', codesLeft: rows[0]?.left ?? 0 }
}
