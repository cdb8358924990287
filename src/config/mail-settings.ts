// All settings of mail together: none of them, or all that mail needs.

import type { MailSettings } from '../mail/smtp-target.ts'
import type { SettingName, Settings } from './config-table.ts'

/** Without all of these no mail can be sent. */
const NEEDED = [
  'LINEAGE_SMTP_URL',
  'LINEAGE_MAIL_FROM',
  'LINEAGE_PASSWORD_RESET_URL',
  'LINEAGE_EMAIL_VERIFICATION_URL',
] as const satisfies readonly SettingName[]

/** What is missing where some of it is given. */
export function findMissingOfMail(given: ReadonlySet<SettingName>): readonly SettingName[] {
  const isWanted = [...NEEDED, 'LINEAGE_MAIL_TEMPLATES' as const].some((name) => given.has(name))
  return isWanted ? NEEDED.filter((name) => !given.has(name)) : []
}

/** Undefined where no mail is sent. */
export function toMailSettings(settings: Settings): MailSettings | undefined {
  const {
    LINEAGE_SMTP_URL: smtp,
    LINEAGE_MAIL_FROM: from,
    LINEAGE_PASSWORD_RESET_URL: passwordReset,
    LINEAGE_EMAIL_VERIFICATION_URL: emailVerification,
    LINEAGE_MAIL_TEMPLATES: templates,
  } = settings
  if (!smtp || !from || !passwordReset || !emailVerification) return undefined
  const pages = { password_reset: passwordReset, email_verification: emailVerification }
  return { smtp, from, pages, templates }
}
