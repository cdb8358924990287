// Where secrets and tokens may be sent: https, or plain http within this machine.

import { TokenRequestError } from './client-errors.ts'

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/** Throws TokenRequestError. `allowInsecureHttp` is for a mesh that encrypts beneath us. */
export function requireSecureUrl(url: string | URL, allowInsecureHttp: boolean): URL {
  if (!URL.canParse(String(url))) throw new TokenRequestError('insecure_url', 'that is no URL')
  const parsed = new URL(url)
  const { protocol, hostname, username, password } = parsed
  if (username !== '' || password !== '') {
    throw new TokenRequestError('insecure_url', 'credentials do not belong into a URL')
  }
  const isPlainAllowed = allowInsecureHttp || LOOPBACK.includes(hostname)
  if (protocol === 'https:' || (protocol === 'http:' && isPlainAllowed)) return parsed
  throw new TokenRequestError('insecure_url', `${parsed.origin} is not https`)
}
