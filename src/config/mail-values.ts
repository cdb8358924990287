// LINEAGE_MAIL_FROM, and the pages that the links of mails open.

import { isMailable } from '../mail/mail-address.ts'
import type { MailSender } from '../mail/smtp-target.ts'
import { BadValue, isLoopbackHost } from './config-values.ts'

const NAME_LENGTH_MAX = 128
const PAGE_LENGTH_MAX = 1_024

/** `no-reply@example.com`, or `Example <no-reply@example.com>`. */
export function parseMailFrom(text: string): MailSender {
  const [, name = '', bracketed] = /^([^<>]*)<([^<>]*)>$/.exec(text) ?? []
  const sender = { name: name.trim(), address: bracketed ?? text }
  const isName = sender.name.length <= NAME_LENGTH_MAX && !/[\p{C}"]/u.test(sender.name)
  if (isName && isMailable(sender.address)) return sender
  throw new BadValue('must be an address, or a name and <the address>')
}

/** The page exactly as given. */
export function parsePage(text: string): string {
  if (!/^https?:\/\/[\x21-\x7e]+$/.test(text) || !URL.canParse(text)) {
    throw new BadValue('must be an https URL')
  }
  if (text.length > PAGE_LENGTH_MAX) {
    throw new BadValue(`must have ${PAGE_LENGTH_MAX} characters at most`)
  }
  const url = new URL(text)
  if (url.protocol !== 'https:' && !isLoopbackHost(url.hostname)) {
    throw new BadValue('must use https, because its host is not a loopback one')
  }
  if (url.username !== '' || url.password !== '') {
    throw new BadValue('must not carry a user name or password')
  }
  // The token goes there (src/mail/mail-templates.ts).
  if (text.includes('#')) throw new BadValue('must not have a fragment, which holds the token')
  return text
}
