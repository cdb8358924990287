// LINEAGE_SMTP_URL: the mail server, whether the way there is encrypted, and who sends.
//
//   smtps://user:password@mail.example.com         TLS from the first byte, port 465 (RFC 8314 §3.3)
//   smtp://user:password@mail.example.com          STARTTLS, without which nothing is sent, port 587
//   smtp://relay.internal:25?tls=off               in clear, for a relay on a way that one trusts
//   smtp://127.0.0.1:1025                          in clear: nobody stands between

import type { SmtpTarget } from '../mail/smtp-target.ts'
import { BadValue, isLoopbackHost, isPercentEncoded } from './config-values.ts'

const FORM =
  /^(smtps?):\/\/(?:([^@/?#]*)@)?(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([1-9]\d{0,4}))?\/?(?:\?([^#]*))?$/
/** RFC 8314 §3.3, RFC 6409 §3.1 */
const DEFAULT_PORTS = { smtps: 465, smtp: 587 }

/** Throws BadValue, which never repeats a part of the URL, because it may hold a password. */
export function parseSmtpUrl(text: string): SmtpTarget {
  const match = FORM.exec(text)
  if (!match || !isPercentEncoded(text)) {
    throw new BadValue('must be smtp:// or smtps:// with host[:port]')
  }
  const [, scheme, userinfo, ipv6, name, portText, query = ''] = match
  const isImplicit = scheme === 'smtps'
  const host = ipv6 ?? name ?? ''
  const port = Number(portText ?? DEFAULT_PORTS[isImplicit ? 'smtps' : 'smtp'])
  if (port > 65_535) throw new BadValue('must have a port of 65535 at most')
  const isOff = parseQuery(query)
  if (isOff && isImplicit) throw new BadValue('must not say tls=off after smtps://')
  const credentials = parseCredentials(userinfo)
  const isLocal = isLoopbackHost(host)
  if (isOff && credentials && !isLocal) {
    throw new BadValue('must not carry a password with tls=off, where anybody on the way reads it')
  }
  const tls = isImplicit ? 'implicit' : isOff || isLocal ? 'none' : 'starttls'
  return { host, port, tls, credentials }
}

/** Whether TLS is switched off. */
function parseQuery(query: string): boolean {
  if (query === '') return false
  if (query === 'tls=off') return true
  throw new BadValue('takes only the parameter tls=off')
}

function parseCredentials(userinfo: string | undefined): SmtpTarget['credentials'] {
  if (userinfo === undefined) return undefined
  const colon = userinfo.indexOf(':')
  const user = decodeURIComponent(userinfo.slice(0, Math.max(colon, 0)))
  const password = decodeURIComponent(userinfo.slice(colon + 1))
  if (user === '' || password === '') throw new BadValue('must give credentials as user:password@')
  return { user, password }
}
