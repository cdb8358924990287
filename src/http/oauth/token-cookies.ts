// The cookies of clients with `tokenDelivery: "cookie"` (docs/semantics.md §9): names,
// flags, and how they are read, set and cleared. browser-client.ts checks who may use them.

import { fastifyCookie } from '@fastify/cookie'
import type { Client } from '../../clients/client.ts'
import type { IssuedTokens } from '../../grants/grant.ts'
import { readCookies } from '../server/cookie-header.ts'
import type { EndpointReply, EndpointRequest } from '../server/endpoint.ts'

/** An access token as a browser sends it, and the client that the cookie's name names. */
export interface AccessCookie {
  readonly clientId: string
  readonly token: string
}

export interface TokenCookies {
  /** Every refresh token that the request carries for this client, empty values too. */
  readRefreshTokens(request: Pick<EndpointRequest, 'raw'>, client: Client): readonly string[]
  /** Every access token that the request carries, whoever's, empty values too. */
  readAccessTokens(request: Pick<EndpointRequest, 'raw'>): readonly AccessCookie[]
  /** False when the access token is too large for a cookie and was not set as one. */
  set(
    request: Pick<EndpointRequest, 'raw'>,
    reply: Pick<EndpointReply, 'header'>,
    client: Client,
    issued: IssuedTokens,
  ): boolean
  /** Clears the cookies that this request has sent, and no others. */
  clearSent(
    request: Pick<EndpointRequest, 'raw'>,
    reply: Pick<EndpointReply, 'header'>,
    client: Client,
  ): void
}

/** Name and value together: a browser silently drops a longer cookie (RFC 6265bis §5.6). */
const COOKIE_BYTES_MAX = 4096

/** With a plain http issuer, which is a loopback one, cookies have neither prefix nor `Secure`. */
export function openTokenCookies(issuer: string): TokenCookies {
  const secure = issuer.startsWith('https:')
  // RFC 6265bis §4.1.3.2: set by this very host over TLS, for all of it, and by nobody else. So the
  // path is / also for an issuer that has one.
  const prefix = secure ? '__Host-' : ''
  const flags = { httpOnly: true, secure, sameSite: 'strict', path: '/' } as const
  const refreshName = ({ id }: Client) => `${prefix}lineage_refresh-${id}`
  const accessStart = `${prefix}lineage_access-`
  const accessName = ({ id }: Client) => `${accessStart}${id}`

  function setCookie(
    reply: Pick<EndpointReply, 'header'>,
    name: string,
    value: string,
    maxAge: number,
  ): void {
    reply.header('set-cookie', fastifyCookie.serialize(name, value, { ...flags, maxAge }))
  }

  return {
    readRefreshTokens: (request, client) => valuesOf(request, refreshName(client)),
    readAccessTokens: (request) =>
      readCookies(request.raw)
        .filter(({ name }) => name.startsWith(accessStart))
        .map(({ name, value }) => ({ clientId: name.slice(accessStart.length), token: value })),
    set(request, reply, client, { refreshToken, accessToken, expiresInSeconds }) {
      if (refreshToken) {
        setCookie(reply, refreshName(client), refreshToken.token, refreshToken.expiresInSeconds)
      }
      if (!client.accessTokenCookie) return true
      const name = accessName(client)
      const isKept = name.length + accessToken.length <= COOKIE_BYTES_MAX
      if (isKept) setCookie(reply, name, accessToken, expiresInSeconds)
      // An earlier cookie must not stay valid beside the new token in the body.
      else if (valuesOf(request, name).length > 0) setCookie(reply, name, '', 0)
      return isKept
    },
    clearSent(request, reply, client) {
      for (const name of [refreshName(client), accessName(client)]) {
        if (valuesOf(request, name).length > 0) setCookie(reply, name, '', 0)
      }
    },
  }
}

/**
 * The values of every cookie of this name, as sent. If there are several, somebody else has set
 * one of them, and their order does not tell which (RFC 6265 §8.5, §8.6).
 */
function valuesOf(request: Pick<EndpointRequest, 'raw'>, name: string): readonly string[] {
  return readCookies(request.raw)
    .filter((cookie) => cookie.name === name)
    .map(({ value }) => value)
}
