// Mails on their way, in PostgreSQL: a restart loses none, and of two instances one sends it. A row
// says what was asked for, for which address and when; the token is made when the mail is sent, so a
// copy of the table opens nothing.

import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { guardDatabase } from '../database/database.ts'
import { deleteInBatches } from '../database/delete-in-batches.ts'
import type { Act } from '../runtime/act.ts'
import type { Clock } from '../runtime/clock.ts'
import { CONFIRMATION_LIFE_SECONDS, type ConfirmationPurpose } from '../users/confirmation-token.ts'
import type { UserId } from '../users/user.ts'

/** How long a claim holds: longer than an attempt and the recording of its outcome. */
const LEASE_SECONDS = 60
/** Mails on their way in all; with so many a further one is not taken. */
const WAITING_MAX = 10_000

/**
 * What somebody asked for. Of one kind and address one mail is on its way: a further request takes the
 * place of the one before, as a mail of its own, with all attempts before it.
 */
export interface MailRequest {
  readonly kind: ConfirmationPurpose
  /** The key of the address that was typed, which nobody need have. */
  readonly emailKey: string
  /** Nobody else gets the mail; undefined where it is for whoever has the address. */
  readonly userId?: UserId | undefined
  readonly act: Act
}

export interface ClaimedMail extends MailRequest {
  readonly id: string
  /** The number of attempts, this one included; also tells this claim from a later one. */
  readonly attempts: number
  readonly requestedAt: Date
}

/** Every method rejects with DependencyUnavailable when PostgreSQL is away. */
export interface MailOutbox {
  /** One statement, the same for every address; false when too many wait, and this one does not. */
  add(request: MailRequest): Promise<boolean>
  /** Claims mails that are due, for LEASE_SECONDS. */
  claim(limit: number): Promise<readonly ClaimedMail[]>
  /** Nothing more is to be done. Does nothing when another claim has the mail. */
  finish(claimed: ClaimedMail): Promise<void>
  postpone(claimed: ClaimedMail, seconds: number): Promise<void>
  /** Deletes what can be sent no more. */
  prune(nowMs: number): Promise<void>
}

const ADD = `
  INSERT INTO mail_outbox (id, kind, email_key, user_id, act, created_at)
  SELECT $1::uuid, $2, $3, $4::uuid, $5::jsonb, $6::timestamptz
  WHERE (SELECT count(*) FROM (SELECT FROM mail_outbox LIMIT ${WAITING_MAX}) AS waiting)
    < ${WAITING_MAX}
  ON CONFLICT (kind, email_key) DO UPDATE SET id = excluded.id, user_id = excluded.user_id,
    act = excluded.act, created_at = excluded.created_at, attempts = 0, next_attempt_at = now()`

const CLAIM = `
  UPDATE mail_outbox SET attempts = attempts + 1,
    next_attempt_at = now() + make_interval(secs => ${LEASE_SECONDS})
  WHERE id = ANY (ARRAY(
    SELECT id FROM mail_outbox WHERE next_attempt_at <= now()
    ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED))
  RETURNING id, kind, email_key AS "emailKey", user_id AS "userId", act, attempts,
    created_at AS "requestedAt"`

const FINISH = 'DELETE FROM mail_outbox WHERE id = $1 AND attempts = $2'

const POSTPONE = `
  UPDATE mail_outbox SET next_attempt_at = now() + make_interval(secs => $3)
  WHERE id = $1 AND attempts = $2`

interface ClaimedRow extends Omit<ClaimedMail, 'userId'> {
  readonly userId: UserId | null
}

export function openMailOutbox(pool: pg.Pool, clock: Clock): MailOutbox {
  return {
    async add({ kind, emailKey, userId, act }) {
      const at = new Date(clock())
      const values = [randomUUID(), kind, emailKey, userId, JSON.stringify(act), at]
      const { rowCount } = await guardDatabase(() => pool.query(ADD, values))
      return rowCount === 1
    },

    async claim(limit) {
      const { rows } = await guardDatabase(() => pool.query<ClaimedRow>(CLAIM, [limit]))
      return rows.map(({ userId, ...row }) => ({ ...row, userId: userId ?? undefined }))
    },

    async finish({ id, attempts }) {
      await guardDatabase(() => pool.query(FINISH, [id, attempts]))
    },

    async postpone({ id, attempts }, seconds) {
      await guardDatabase(() => pool.query(POSTPONE, [id, attempts, seconds]))
    },

    prune: (nowMs) => deleteInBatches(pool, OLD, [new Date(nowMs - LONGEST_LIFE_MS)]),
  }
}

const LONGEST_LIFE_MS = 1000 * Math.max(...Object.values(CONFIRMATION_LIFE_SECONDS))
const OLD = { table: 'mail_outbox', condition: 'created_at < $1', orderBy: 'created_at' }
