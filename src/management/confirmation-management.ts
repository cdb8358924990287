// What people prove by a mail: that they may set a new password, and that their address is theirs.
// What comes from outside is refused with one answer, whatever is wrong with it.

import { isMailable } from '../mail/mail-address.ts'
import type { MailOutbox, MailRequest } from '../mail/mail-outbox.ts'
import { OAuthError } from '../oauth/oauth-error.ts'
import { type Act, senderOf, withAct } from '../runtime/act.ts'
import type { Clock } from '../runtime/clock.ts'
import type { RecordEvent } from '../runtime/security-event.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import type { GuessKind } from '../throttle/guess.ts'
import type { Throttle } from '../throttle/throttle.ts'
import { loginAccountOf } from '../users/authenticate-user.ts'
import { authenticateConfirmation } from '../users/confirmation-token.ts'
import type { PasswordHasher } from '../users/password-hasher.ts'
import type { PasswordRules } from '../users/password-quality.ts'
import type { User, UserId, UserRecord } from '../users/user.ts'
import { findPasswordErrors } from '../users/user-draft.ts'
import { parseUserId } from '../users/user-id.ts'
import { parseEmail } from '../users/user-names.ts'
import type { UserStore } from '../users/user-store.ts'
import { accepted, found, ManagementError, sessionOver } from './management-error.ts'
import { recordCommitted } from './record-committed.ts'

export interface ConfirmationManagementDependencies {
  readonly users: Pick<UserStore, 'findById' | 'findCredentials' | 'setPassword' | 'patch'>
  readonly outbox: Pick<MailOutbox, 'add'>
  readonly hasher: Pick<PasswordHasher, 'hash'>
  readonly passwordRules: PasswordRules
  readonly throttle: Pick<Throttle, 'failed'>
  readonly rootSecrets: RootSecrets
  readonly clock: Clock
  readonly recordEvent: RecordEvent
  /** So many mails wait that this one was not taken. */
  readonly onDropped: () => void
}

/** Every method rejects with DependencyUnavailable. */
export interface ConfirmationManagement {
  /**
   * Takes down that somebody asked. Whether anybody has the address is found out later, by whoever
   * sends mails: the work here is the same for every text.
   */
  requestPasswordReset(email: string, act: Act): Promise<void>
  /**
   * Has the mail sent to a user whom an operator names. Throws ManagementError `not_found`, and
   * `conflict` where the user would not get it.
   */
  sendPasswordReset(id: string, act: Act): Promise<void>
  /**
   * Ends every session of the user, and proves the address. Throws ManagementError `unconfirmed`,
   * `invalid` where the policy refuses the password, `unfinished`, and OAuthError `login_queue_…`.
   */
  resetPassword(
    proof: { readonly token: string; readonly newPassword: string },
    act: Act,
    signal?: AbortSignal,
  ): Promise<void>
  /** Nothing where the address is verified. Throws ManagementError `session_over`. */
  requestEmailVerification(userId: UserId, act: Act): Promise<void>
  /** Throws ManagementError `unconfirmed` and `unfinished`. */
  verifyEmail(token: string, act: Act): Promise<void>
}

/** Stands for a text that is no address. Nobody has it. */
const NOBODYS_KEY = ''

export function openConfirmationManagement(
  dependencies: ConfirmationManagementDependencies,
): ConfirmationManagement {
  const { users, outbox, hasher, passwordRules, throttle, rootSecrets, clock } = dependencies
  const { onDropped, recordEvent } = dependencies

  /** Of more mails than an address or a source may ask for nothing is sent, and nothing said. */
  async function addMail(request: MailRequest): Promise<void> {
    const isOver = await countAttempt('mail', mailAccountOf(request), request.act).then(
      () => false,
      (error: unknown) => isThrottled(error) || Promise.reject(error),
    )
    if (isOver) return
    if (!(await outbox.add(request))) onDropped()
  }

  /** Only wrong tokens count, and a right one is never held up, nor asked about. */
  async function refuse(act: Act, userId?: UserId): Promise<never> {
    // Without a user it is the source's alone, so that nobody uses up what others have.
    await countAttempt('reset_token', userId ?? act.ip ?? '', act)
    throw unconfirmed()
  }

  function countAttempt(kind: GuessKind, account: string, act: Act): Promise<void> {
    return throttle.failed({ kind, account, ...senderOf(act) })
  }

  return {
    async requestPasswordReset(email, act) {
      // Blanks around it come from keyboards, as in a login.
      const emailKey = parseEmail(email.trim())?.key ?? NOBODYS_KEY
      await addMail({ kind: 'password_reset', emailKey, act })
    },

    async sendPasswordReset(id, act) {
      const user = found(await users.findById(found(parseUserId(id), 'user')), 'user')
      if (user.status !== 'active') throw new ManagementError('conflict', 'the user is disabled')
      const emailKey = isMailable(user.email) ? parseEmail(user.email)?.key : undefined
      if (emailKey === undefined) {
        throw new ManagementError('conflict', 'the address of the user is none to write to')
      }
      const request = { kind: 'password_reset', emailKey, userId: user.id, act } as const
      if (await outbox.add(request)) return
      throw new ManagementError('conflict', 'too many mails wait to be sent')
    },

    async resetPassword({ token, newPassword }, act, signal) {
      const proof = authenticateConfirmation(token, 'password_reset', rootSecrets, clock())
      if (!proof) return await refuse(act)
      const { userId, isAbout } = proof
      const isGood = (user: User, { epoch }: UserRecord) =>
        user.status === 'active' && isAbout({ user, epoch })
      const credentials = await users.findCredentials(userId)
      // Before a lane is taken for a token that is used.
      if (!credentials || !isGood(credentials.user, credentials.record)) {
        return await refuse(act, userId)
      }
      const { user } = credentials
      const errors = findPasswordErrors('/newPassword', newPassword, passwordRules, user)
      accepted(errors.length === 0 ? { ok: true, value: newPassword } : { ok: false, errors })
      const passwordHash = await hasher.hash(newPassword, signal)
      const about = { subject: userId, detail: { how: 'reset' } }
      const check = (...current: Parameters<typeof isGood>) => {
        if (!isGood(...current)) throw unconfirmed()
      }
      const isSet = await recordCommitted(
        (onChanged) =>
          users.setPassword(userId, passwordHash, onChanged, { check, provesEmail: true }),
        (changed) => {
          recordEvent(withAct({ type: 'user.password_changed', ...about }, act))
          if (changed.includes('emailVerified')) {
            recordEvent(withAct({ type: 'user.email_verified', ...about }, act))
          }
        },
      )
      if (!isSet) throw unconfirmed()
    },

    async requestEmailVerification(userId, act) {
      const user = await users.findById(userId)
      if (!user) throw sessionOver()
      const emailKey = parseEmail(user.email)?.key
      if (user.emailVerified || emailKey === undefined) return
      await addMail({ kind: 'email_verification', emailKey, userId, act })
    },

    async verifyEmail(token, act) {
      const proof = authenticateConfirmation(token, 'email_verification', rootSecrets, clock())
      if (!proof) return await refuse(act)
      const { userId } = proof
      // One that was used is refused as any other: the address is verified.
      const check = (user: User) => {
        const isOpen = user.status === 'active' && !user.emailVerified
        if (!isOpen || !proof.isAbout({ user })) throw unconfirmed()
      }
      const user = await recordCommitted(
        (onChanged) => users.patch(userId, { emailVerified: true }, onChanged, check),
        () => recordEvent(withAct({ type: 'user.email_verified', subject: userId }, act)),
      )
      if (!user) throw unconfirmed()
    },
  }
}

/** Who asks for a mail to himself counts apart: for a reset strangers can ask, to the same address. */
function mailAccountOf({ userId, emailKey }: MailRequest): string {
  return userId ?? loginAccountOf({ emailKey })
}

function isThrottled(error: unknown): boolean {
  return error instanceof OAuthError && error.reason === 'throttled'
}

function unconfirmed(): ManagementError {
  return new ManagementError('unconfirmed', 'the token is not valid, not valid any more, or used')
}
