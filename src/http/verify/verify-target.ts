// Which request a gateway asks about, as a proof of DPoP names it (RFC 9449 §4.3): told by headers of
// proxies that are trusted, and by nobody else. Where it is not clear, no proof fits.

import type { IncomingMessage } from 'node:http'
import type { ProofTarget } from '../../dpop/proof-target.ts'
import { type IssuerNames, namesOf } from '../../oauth/issuer-alias.ts'
import { parseIpAddress } from '../../runtime/ip-address.ts'
import type { EndpointRequest } from '../server/endpoint.ts'

/**
 * On exact /verify the request that the four `X-Forwarded-` headers tell of, and without `X-Forwarded-Uri`
 * the question itself. Undefined where one of them is missing, doubled or comes from a stranger.
 */
export function findToldTarget(
  request: EndpointRequest,
  names: IssuerNames,
): ProofTarget | undefined {
  const uri = textOf(request, 'x-forwarded-uri')
  if (uri === undefined) {
    return { method: request.method, urls: namesOf(names).map((name) => `${name}/verify`) }
  }
  if (!isTold(request)) return undefined
  const method = textOf(request, 'x-forwarded-method')
  const host = textOf(request, 'x-forwarded-host')
  return toTarget(method, textOf(request, 'x-forwarded-proto'), host, uri)
}

/**
 * Below /verify/ the request whose method, host and path the gateway has kept; it tells the scheme in
 * `X-Forwarded-Proto`. Of its other headers none counts, because the caller may have sent it.
 */
export function findAppendedTarget(
  request: EndpointRequest,
  { issuer }: IssuerNames,
): ProofTarget | undefined {
  if (!isTold(request)) return undefined
  const root = `${new URL(issuer).pathname.replace(/\/$/, '')}/verify`
  const target = rawTargetOf(request.raw)
  const path = target.startsWith(`${root}/`) ? target.slice(root.length) : undefined
  const proto = textOf(request, 'x-forwarded-proto')
  return toTarget(request.method, proto, textOf(request, 'host'), path)
}

function isTold({ raw, server }: EndpointRequest): boolean {
  const address = parseIpAddress(raw.socket.remoteAddress ?? '')
  return address !== undefined && server.isTrustedProxy(address)
}

/** Doubled ones come joined by a comma and a blank, which no method and no URL has. */
function textOf({ headers }: EndpointRequest, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

function toTarget(
  method: string | undefined,
  proto: string | undefined,
  host: string | undefined,
  path: string | undefined,
): ProofTarget | undefined {
  if (!method || !host || !path?.startsWith('/')) return undefined
  if (proto !== 'https' && proto !== 'http') return undefined
  return { method, urls: [`${proto}://${host}${path}`] }
}

/** As it was sent: the router sees another one of what lies below /verify/. */
function rawTargetOf(raw: IncomingMessage & { readonly originalUrl?: string }): string {
  return raw.originalUrl ?? raw.url ?? ''
}
