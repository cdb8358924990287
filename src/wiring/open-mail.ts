// Mail put together: the outbox, which is there in any case, and where a mail server is configured what
// sends out of it.

import { openMailDeliverer } from '../mail/mail-deliverer.ts'
import { type MailOutbox, openMailOutbox } from '../mail/mail-outbox.ts'
import { loadMailTemplates } from '../mail/mail-templates.ts'
import { openSmtpTransport } from '../mail/smtp-transport.ts'
import { logEvent } from '../ops/log-events.ts'
import { withAct } from '../runtime/act.ts'
import type { SecurityEventType } from '../runtime/security-event.ts'
import type { ConfirmationPurpose } from '../users/confirmation-token.ts'
import type { UserStore } from '../users/user-store.ts'
import type { Foundation } from './foundation.ts'

export interface Mail {
  readonly outbox: MailOutbox
  /** Sends what is due; rejects with DependencyUnavailable. Nothing where no mail is sent. */
  deliverDue(): Promise<void>
  stop(): Promise<void>
}

const REQUESTED = {
  password_reset: 'user.password_reset_requested',
  email_verification: 'user.email_verification_requested',
} as const satisfies Record<ConfirmationPurpose, SecurityEventType>

/** Throws StartError for templates that are not valid. Connects to no mail server. */
export async function openMail(
  { config, database, clock, logger, audit }: Foundation,
  users: Pick<UserStore, 'findForLogin'>,
): Promise<Mail> {
  const outbox = openMailOutbox(database.pool, clock)
  const { mail: settings, rootSecrets } = config
  if (!settings) return { outbox, deliverDue: async () => {}, stop: async () => {} }
  const templates = loadMailTemplates(settings.templates)
  const transport = await openSmtpTransport(settings.smtp)
  const deliverer = openMailDeliverer({
    ...{ outbox, transport, templates, settings, users, rootSecrets, clock },
    onWriting: (kind, subject, act) =>
      audit.recordEvent(withAct({ type: REQUESTED[kind], subject }, act)),
    onSent: (sent) => logEvent(logger, 'mail.sent', sent),
    onDelayed: (unsent) => logEvent(logger, 'mail.delayed', unsent),
    onFailed: (unsent) => logEvent(logger, 'mail.failed', unsent),
  })
  return { outbox, ...deliverer }
}
