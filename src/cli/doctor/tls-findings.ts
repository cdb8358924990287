// What `lineage doctor --url` says of TLS at the public address: the certificate and its chain, until when,
// which versions, and whether the same host answers in clear.

import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { AddressScene } from './address-scene.ts'
import { NoAnswer, openAddress } from './ask-address.ts'
import { type Finding, fail, ok, skip, warn } from './finding.ts'

const CERTIFICATE = 'certificate'
const VERSIONS = 'tls versions'
const CLEAR = 'clear http'
const HSTS = 'strict transport'
const TIMEOUT_MS = 5_000
const DAY_MS = 24 * 60 * 60 * 1000

/** `hsts` is that header of an answer. */
export async function examineTls(
  { address: { url }, certDays, clock, userAgent }: AddressScene,
  hsts: string | undefined,
): Promise<Finding[]> {
  if (url.protocol !== 'https:') {
    const detail = `${url.host} is asked in clear`
    const advice = 'put TLS before it: tokens and secrets travel there'
    const isHere = /^(localhost|127\.|\[::1\])/.test(url.hostname)
    return [isHere ? skip(CERTIFICATE, detail) : fail(CERTIFICATE, detail, advice)]
  }
  const [certificate, versions, clear] = await Promise.all([
    examineCertificate(url, clock(), certDays),
    examineVersions(url),
    url.port === '' ? examineClearHttp(`http://${url.hostname}`, userAgent) : undefined,
  ])
  return [certificate, versions, ...(clear ? [clear] : []), judgeHsts(hsts)]
}

async function examineCertificate(url: URL, nowMs: number, certDays: number): Promise<Finding> {
  const socket = await handshake(url, {})
  if (typeof socket === 'string') {
    return fail(CERTIFICATE, `no handshake: ${socket}`, 'look into the log of the proxy')
  }
  const { authorizationError } = socket
  const { valid_to: until } = socket.getPeerCertificate()
  const protocol = socket.getProtocol()
  socket.destroy()
  const daysLeft = Math.floor((Date.parse(until) - nowMs) / DAY_MS)
  const detail = `${protocol}, good for ${daysLeft} days`
  const refusal = authorizationError && String(authorizationError)
  if (refusal) return fail(CERTIFICATE, `${detail}, not trusted: ${refusal}`, adviseOn(refusal))
  return daysLeft < certDays
    ? warn(CERTIFICATE, detail, 'renew it, and look why nothing has renewed it by itself')
    : ok(CERTIFICATE, `${detail}, trusted`)
}

function adviseOn(refusal: string): string {
  if (/ALTNAME/.test(refusal)) return 'get a certificate for the host of this address'
  if (/EXPIRED/.test(refusal)) return 'renew it, and let the proxy load it'
  if (/SELF_SIGNED/.test(refusal)) {
    return 'get one that clients trust, or name its authority in NODE_EXTRA_CA_CERTS where they do'
  }
  return 'let the proxy send the certificates between it and the root, too'
}

/** OpenSSL refuses these itself unless its security level is lowered. */
async function examineVersions(url: URL): Promise<Finding> {
  const old: ConnectionOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }
  const socket = await handshake(url, { ...old, ciphers: 'DEFAULT:@SECLEVEL=0' })
  if (typeof socket === 'string') return ok(VERSIONS, 'none below TLS 1.2')
  const protocol = socket.getProtocol()
  socket.destroy()
  return warn(VERSIONS, `it takes ${protocol}`, 'allow TLS 1.2 and 1.3 alone (RFC 8996)')
}

/** The socket after the handshake, or why there was none. */
function handshake(url: URL, options: ConnectionOptions): Promise<TLSSocket | string> {
  return new Promise((resolve) => {
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    const isName = /[a-z]/i.test(host) && !host.includes(':')
    const socket = connect({
      ...options,
      host,
      port: Number(url.port || 443),
      ...(isName ? { servername: host } : {}),
      rejectUnauthorized: false,
    })
    const give = (result: TLSSocket | string) => {
      socket.setTimeout(0)
      if (typeof result === 'string') socket.destroy()
      resolve(result)
    }
    socket.setTimeout(TIMEOUT_MS, () => give('no answer'))
    socket.on('error', (error: NodeJS.ErrnoException) => give(error.code ?? 'it failed'))
    socket.on('secureConnect', () => give(socket))
  })
}

/** That the same host in clear answers nothing but the way to TLS. */
export async function examineClearHttp(clearUrl: string, userAgent: string): Promise<Finding> {
  const clear = openAddress(clearUrl, userAgent)
  try {
    const { status, headers } = await clear.ask({ path: '/.well-known/openid-configuration' })
    const { location = '' } = headers
    if (status >= 300 && status < 400) {
      return location.startsWith('https://')
        ? ok(CLEAR, `${status} to https`)
        : warn(CLEAR, `${status} to somewhere in clear`, 'redirect it to https')
    }
    if (status >= 400) return ok(CLEAR, `refused with ${status}`)
    const advice = 'redirect to https, or close the port: tokens and secrets would travel there'
    return fail(CLEAR, `the service answers at ${clearUrl} too`, advice)
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    return ok(CLEAR, `nobody answers at ${clearUrl}`)
  } finally {
    clear.close()
  }
}

function judgeHsts(header: string | undefined): Finding {
  if (header === undefined) {
    return ok(HSTS, 'not sent; it matters where browsers open pages of this host')
  }
  const seconds = Number(/max-age="?(\d{1,12})/i.exec(header)?.[1] ?? 0)
  return seconds > 0
    ? ok(HSTS, `${Math.floor(seconds / 86_400)} days`)
    : warn(HSTS, 'max-age is 0: browsers forget it', 'leave the header out, or say a year')
}
