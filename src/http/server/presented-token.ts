// The access token of a request and the scheme that it comes by: `Bearer` (RFC 6750 §2.1), or `DPoP` for one
// that is bound to a key (RFC 9449 §7.1).

import { JWS_ALGS } from '../../runtime/jws-algorithms.ts'
import type { EndpointRequest } from './endpoint.ts'
import { isRepeated } from './repeated-header.ts'

export interface PresentedToken {
  readonly scheme: 'Bearer' | 'DPoP'
  readonly token: string
}

type HeadersOf = Pick<EndpointRequest, 'raw' | 'headers'>

/** What the one Authorization header holds, in the form of RFC 6750 §2.1. */
export function presentedTokenOf(request: HeadersOf): PresentedToken | undefined {
  if (isRepeated(request, 'authorization')) return undefined
  const { authorization = '' } = request.headers
  // RFC 9110 §11.1: the scheme is case-insensitive.
  const token = /^(?:bearer|dpop) +([\w.~+/-]+=*) *$/i.exec(authorization)?.[1]
  return token === undefined ? undefined : { scheme: schemeOf(request), token }
}

/** Whether the request tries to bring a token; another scheme counts as no credentials. */
export function hasTokenCredentials(request: HeadersOf): boolean {
  const { authorization = '' } = request.headers
  return /^(?:bearer|dpop)\b/i.test(authorization) || isRepeated(request, 'authorization')
}

/** The `WWW-Authenticate` of the scheme by which the request came, or of another. */
export function challenge(
  request: HeadersOf,
  error: string,
  rest = '',
  scheme: PresentedToken['scheme'] = schemeOf(request),
): string {
  const algs = scheme === 'DPoP' ? `, algs="${JWS_ALGS.join(' ')}"` : ''
  return `${scheme} error="${error}"${rest}${algs}`
}

function schemeOf({ headers }: Pick<HeadersOf, 'headers'>): PresentedToken['scheme'] {
  return /^dpop\b/i.test(headers.authorization ?? '') ? 'DPoP' : 'Bearer'
}
