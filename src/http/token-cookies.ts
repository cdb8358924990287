// The cookies of clients with `tokenDelivery: "cookie"` (DESIGN §9): names, flags, and how they are
// read, set and cleared. Who may have them is the business of browser-client.ts.

import { fastifyCookie } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Client } from '../clients/client.ts'
import type { IssuedTokens } from '../tokens/token-response.ts'

/** An access token as a browser sends it, and the client that the cookie's name names. */
export interface AccessCookie {
  readonly clientId: string
  readonly token: string
}

export interface TokenCookies {
  /** Every refresh token that the request carries for this client, empty values too. */
  readRefreshTokens(request: FastifyRequest, client: Client): readonly string[]
  /** Every access token that the request carries, whoever's, empty values too. */
  readAccessTokens(request: FastifyRequest): readonly AccessCookie[]
  set(reply: FastifyReply, client: Client, issued: IssuedTokens): void
  /** Clears what this request has sent, and says nothing of what it has not. */
  clearSent(request: FastifyRequest, reply: FastifyReply, client: Client): void
}

/** Cookies as the issuer's scheme allows: a plain http one, which is a loopback one, has no TLS. */
export function openTokenCookies(issuer: string): TokenCookies {
  const secure = issuer.startsWith('https:')
  // RFC 6265bis §4.1.3.2: set by this very host over TLS, for all of it, and by nobody else. So the
  // path is / also for an issuer that has one.
  const prefix = secure ? '__Host-' : ''
  const flags = { httpOnly: true, secure, sameSite: 'strict', path: '/' } as const
  const refreshName = ({ id }: Client) => `${prefix}lineage_refresh-${id}`
  const accessStart = `${prefix}lineage_access-`
  const accessName = ({ id }: Client) => `${accessStart}${id}`

  function setCookie(reply: FastifyReply, name: string, value: string, maxAge: number): void {
    reply.header('set-cookie', fastifyCookie.serialize(name, value, { ...flags, maxAge }))
  }

  return {
    readRefreshTokens: (request, client) => readCookies(request, refreshName(client)),
    readAccessTokens: (request) =>
      readPairs(request)
        .filter(([name]) => name.startsWith(accessStart))
        .map(([name, token]) => ({ clientId: name.slice(accessStart.length), token })),
    set(reply, client, { refreshToken, accessToken, expiresInSeconds }) {
      if (refreshToken) {
        setCookie(reply, refreshName(client), refreshToken.token, refreshToken.expiresInSeconds)
      }
      if (client.accessTokenCookie) {
        setCookie(reply, accessName(client), accessToken, expiresInSeconds)
      }
    },
    clearSent(request, reply, client) {
      for (const name of [refreshName(client), accessName(client)]) {
        if (readCookies(request, name).length > 0) setCookie(reply, name, '', 0)
      }
    },
  }
}

/**
 * The values of every cookie of this name, as sent. More than one means that somebody else has set
 * one of them, and no order tells which (RFC 6265 §8.5, §8.6), so parsers that pick one are no use.
 */
export function readCookies(request: FastifyRequest, name: string): readonly string[] {
  return readPairs(request)
    .filter(([found]) => found === name)
    .map(([, value]) => value)
}

// What a browser takes off around a pair (RFC 6265 §5.2), and no more. trim() also takes off U+00A0,
// which would make a name with it one of ours: one that a browser lets any sibling host set, since to
// the browser it does not begin with __Host-.
const SURROUNDING_BLANKS = /^[ \t]+|[ \t]+$/g

/** Name and value of each cookie, in the order of the header; what has no `=` is none. */
function readPairs(request: FastifyRequest): readonly (readonly [name: string, value: string])[] {
  return (request.headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.replace(SURROUNDING_BLANKS, ''))
    .filter((pair) => pair.includes('='))
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])
}
