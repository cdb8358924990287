// What must hold in both stores whatever was killed and when, each with its name, and what breaks one.

export const INVARIANTS = {
  redis_key_known: 'every key is one that the service writes, and all but the mark come to an end',
  family_well_formed: 'every family is packed to its last byte, and its moments are in order',
  family_has_user: 'every family belongs to a user that PostgreSQL has',
  family_epoch: 'no family is of an epoch that its user has not reached',
  family_ended:
    'an ended family has a reason and a moment, and is no longer in the index of the live',
  live_index:
    'a family that has not ended stands in the index of the live ones once, under its client',
  ended_index: 'an ended family is listed with the ended ones, of which the newest 200 are',
  user_copy: 'the copy of a user is a record and pairs of a client and its families',
  user_copy_not_ahead:
    'the copy of a user is never newer than PostgreSQL, and of one version the same',
  user_copy_outlives: 'the copy of a user lives as long as his families',
  journal_applied: 'what the journal says has reached the store of families',
  mark_not_ahead: 'a mark is not later than the clock of the journal',
  user_record:
    'the epochs of a user rise one by one up to his own, and each has raised the version',
  user_journalled: 'the newest change of a user stands in the journal, which is never ahead of it',
  user_deleted_whole: 'a deleted user has no name, no password and no second step',
  user_factors:
    'a user is marked for a second step when a factor is active, and each factor has a user',
  signing_key_active: 'each configured algorithm has exactly one key that signs',
  sealed_opens: 'every sealed secret opens, and each public key is that of its private one',
  sealed_current: 'every sealed secret is under the first root secret',
  migrations_finished: 'each migration is recorded once, as it is, and as finished',
  schema_whole: 'the schema is that of a database which was migrated in one go',
  client_secrets: 'a client has two secrets at most, and one where it needs one',
  client_log: 'the log of changes of clients is not ahead of the version of their table',
  event_once: 'no event is there twice',
  delivery_has_event: 'every delivery has its event and its webhook',
  webhook_told: 'every event that a webhook subscribes to has a delivery',
} as const satisfies Record<string, string>

/** What is seen by whoever asks the service again, and not by a walk. */
export const PROMISES = {
  starts_again: 'the service, or the command, starts again and comes to its end',
  answer_kept: 'what a client was answered is still true',
  act_repeatable: 'an act that was cut off can be done again, to the same end',
  processes_gone: 'nothing of what was killed goes on',
} as const satisfies Record<string, string>

export type Invariant = keyof typeof INVARIANTS

export interface Damage {
  readonly invariant: Invariant | keyof typeof PROMISES
  /** Whom or what it is about, and how. */
  readonly detail: string
}
