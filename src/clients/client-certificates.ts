// By which certificate a client proves itself (RFC 8705 §2.1.2): exactly one name, written so that it can
// be in a certificate, and never a pattern.

import { isIP } from 'node:net'
import { parseDistinguishedName } from '../certificates/distinguished-name.ts'
import type { FieldError } from '../runtime/field-error.ts'
import type { Client } from './client.ts'
import { TLS_CLIENT_NAMES } from './client-settings.ts'

const LENGTH_MAX = 1_024

const HOST = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_-]{1,63})*$/
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/
const MAILBOX = /^[\x21-\x3f\x41-\x7e]{1,64}@([A-Za-z0-9.-]{1,253})$/

const NAMES: Readonly<
  Record<
    (typeof TLS_CLIENT_NAMES)[number],
    { readonly isGood: (text: string) => boolean; readonly detail: string }
  >
> = {
  subjectDn: {
    isGood: (text) => parseDistinguishedName(text) !== undefined,
    detail: 'must be a distinguished name (RFC 4514), such as CN=payments,O=Example',
  },
  sanDns: { isGood: (text) => HOST.test(text), detail: 'must be a host name without a wildcard' },
  sanUri: { isGood: (text) => URI.test(text), detail: 'must be a URI without a wildcard' },
  sanIp: {
    isGood: (text) => isIP(text) !== 0 && !text.includes('%'),
    detail: 'must be an IPv4 or IPv6 address',
  },
  sanEmail: { isGood: (text) => MAILBOX.test(text), detail: 'must be an email address' },
}

/** The rules of clients with certificates (docs/semantics.md §24). */
export function checkCertificates({
  tlsClientAuth,
  authMethods,
}: Pick<Client, 'tlsClientAuth' | 'authMethods'>): FieldError[] {
  const isListed = authMethods.includes('tls_client_auth')
  if (isListed && authMethods.includes('self_signed_tls_client_auth')) {
    const detail =
      'must have one method with a certificate, because nothing in a request tells two apart'
    return [{ pointer: '/authMethods', detail }]
  }
  if (!tlsClientAuth) {
    const detail = 'is required with tls_client_auth'
    return isListed ? [{ pointer: '/tlsClientAuth', detail }] : []
  }
  const given = TLS_CLIENT_NAMES.filter((name) => tlsClientAuth[name] !== undefined)
  if (given.length !== 1) {
    const detail = `must have exactly one of ${TLS_CLIENT_NAMES.join(', ')}`
    return [{ pointer: '/tlsClientAuth', detail }]
  }
  return given.flatMap((name) => {
    const text = tlsClientAuth[name] ?? ''
    const { isGood, detail } = NAMES[name]
    return text.length <= LENGTH_MAX && isGood(text)
      ? []
      : [{ pointer: `/tlsClientAuth/${name}`, detail }]
  })
}
