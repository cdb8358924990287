// Sends the mails that are due: claims them, finds out whom they are for, makes their tokens and hands
// them to the mail server. Has no timer of its own: the poll calls it, so that the moment at which
// something is done about a request tells nobody whether somebody has the address.

import type { Act } from '../runtime/act.ts'
import type { Clock } from '../runtime/clock.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import {
  CONFIRMATION_LIFE_SECONDS,
  type ConfirmationPurpose,
  mintConfirmationToken,
} from '../users/confirmation-token.ts'
import type { UserId } from '../users/user.ts'
import type { UserCredentials } from '../users/user-row.ts'
import type { UserStore } from '../users/user-store.ts'
import { isMailable } from './mail-address.ts'
import type { ClaimedMail, MailOutbox } from './mail-outbox.ts'
import { linkTo, type MailTemplates, writeMail } from './mail-templates.ts'
import type { MailSettings } from './smtp-target.ts'
import { CONNECTIONS_MAX, type MailRefusal, type SmtpTransport } from './smtp-transport.ts'

/**
 * Pause before each further attempt, plus or minus a fifth: eight attempts within the half hour of a
 * reset, the others within a day.
 */
const RETRY_SECONDS = [5, 15, 60, 120, 300, 300, 600, 1_800, 3_600, 7_200, 14_400, 28_800]
const JITTER = 0.2
/** What a stop waits for attempts under way before it gives them up. */
const STOP_PATIENCE_MS = 2_000

/** What became of a mail that was not sent, for the log. It holds neither address nor token. */
export interface UnsentMail extends Pick<MailRefusal, 'error' | 'smtpStatus'> {
  readonly mailId: string
  readonly kind: ConfirmationPurpose
  readonly attempts: number
}

export interface MailDelivererOptions {
  readonly outbox: Pick<MailOutbox, 'claim' | 'finish' | 'postpone'>
  readonly transport: SmtpTransport
  readonly templates: MailTemplates
  readonly settings: Pick<MailSettings, 'from' | 'pages'>
  readonly users: Pick<UserStore, 'findForLogin'>
  readonly rootSecrets: RootSecrets
  readonly clock: Clock
  /** Somebody has the address and is being written to; once for each mail. */
  readonly onWriting: (kind: ConfirmationPurpose, userId: UserId, act: Act) => void
  /** The mail server has taken it. */
  readonly onSent: (sent: Omit<UnsentMail, 'error' | 'smtpStatus'>) => void
  /** It is tried again. */
  readonly onDelayed: (unsent: UnsentMail) => void
  /** It is given up. */
  readonly onFailed: (unsent: UnsentMail) => void
}

export interface MailDeliverer {
  /**
   * Sends what is due, one round at a time; rejects with DependencyUnavailable, and what could not be
   * recorded is then sent again.
   */
  deliverDue(): Promise<void>
  /** Claims nothing more; resolves soon. What was cut off is tried again. */
  stop(): Promise<void>
}

export function openMailDeliverer(options: MailDelivererOptions): MailDeliverer {
  const { outbox, transport } = options
  const stopping = new AbortController()
  const cutOff = new AbortController()
  let round: Promise<void> | undefined
  /** Another look is asked for, also by who comes while a round is looking for the last time. */
  let isWanted = false

  async function deliverAll(): Promise<void> {
    while (isWanted && !stopping.signal.aborted) {
      isWanted = false
      const claimed = await outbox.claim(CONNECTIONS_MAX)
      // As long as there is something there may be more.
      if (claimed.length > 0) isWanted = true
      const done = await Promise.allSettled(claimed.map(deliver))
      for (const one of done) if (one.status === 'rejected') throw one.reason
    }
  }

  async function deliver(claimed: ClaimedMail): Promise<void> {
    const letter = await writeLetter(claimed, options)
    if (!letter) return await outbox.finish(claimed)
    const refusal = isMailable(letter.to) ? await transport.send(letter, cutOff.signal) : UNMAILABLE
    const { id: mailId, kind, attempts } = claimed
    if (!refusal) {
      options.onSent({ mailId, kind, attempts })
      return await outbox.finish(claimed)
    }
    const { error, smtpStatus } = refusal
    const unsent = { mailId, kind, attempts, error, smtpStatus }
    // What our own stop has cut off is not the server's failure, so it is never the last attempt.
    const pause = RETRY_SECONDS[attempts - 1] ?? (error === 'stopping' ? 0 : undefined)
    if (pause === undefined || refusal.isFinal) {
      options.onFailed(unsent)
      return await outbox.finish(claimed)
    }
    options.onDelayed(unsent)
    await outbox.postpone(claimed, pause * (1 - JITTER + 2 * JITTER * Math.random()))
  }

  return {
    deliverDue() {
      isWanted = true
      round ??= deliverAll().finally(() => {
        round = undefined
      })
      return round
    },
    async stop() {
      stopping.abort()
      const timer = setTimeout(() => cutOff.abort(), STOP_PATIENCE_MS)
      await round?.catch(() => {})
      clearTimeout(timer)
      transport.close()
    },
  }
}

/** Somebody has the address, and it is more than one mailbox to anybody. */
const UNMAILABLE: MailRefusal = { error: 'address', smtpStatus: undefined, isFinal: true }

/** Undefined where there is nobody to write to, or nothing to say any more. */
async function writeLetter(claimed: ClaimedMail, options: MailDelivererOptions) {
  const { templates, settings, rootSecrets, clock } = options
  const { kind, requestedAt } = claimed
  const expiresAt = Math.floor(requestedAt.getTime() / 1000) + CONFIRMATION_LIFE_SECONDS[kind]
  if (clock() >= expiresAt * 1000) return undefined
  const found = await options.users.findForLogin({ emailKey: claimed.emailKey })
  if (!found || !isStillOf(claimed, found)) return undefined
  const { user, record } = found
  if (claimed.attempts === 1) options.onWriting(kind, user.id, claimed.act)
  const subject = kind === 'password_reset' ? { user, epoch: record.epoch } : { user }
  const page = settings.pages[kind]
  const token = mintConfirmationToken(kind, subject, expiresAt, rootSecrets)
  const { host: app } = new URL(page)
  const values = { link: linkTo(page, token), app, username: user.username }
  // To the address of the account: the one that was typed may only look like it to the key.
  return { ...writeMail(templates[kind], values), from: settings.from, to: user.email }
}

/** Whether the mail is of use to this user. */
function isStillOf(
  { kind, userId, requestedAt }: ClaimedMail,
  { user }: Pick<UserCredentials, 'user'>,
): boolean {
  if (user.status !== 'active') return false
  if (userId !== undefined && userId !== user.id) return false
  return kind === 'password_reset' ? user.passwordChangedAt <= requestedAt : !user.emailVerified
}
