// The chains of requests that the scenarios send, and how tokens are read out of answers.

import { CONNECTIONS } from '../options.ts'
import type { Chain } from './closed-loop.ts'
import { formRequest } from './http-connection.ts'

type Fields = Readonly<Record<string, string>>

/** A member of a JSON object whose value is a plain string: cheaper than parsing the whole. */
export function readMember(body: string, name: string): string {
  const marker = `"${name}":"`
  const from = body.indexOf(marker)
  if (from < 0) throw new Error(`no ${name} in ${body}`)
  const start = from + marker.length
  return body.slice(start, body.indexOf('"', start))
}

/** One chain for each connection. */
export function forEachConnection(make: (index: number) => Chain): Chain[] {
  return Array.from({ length: CONNECTIONS }, (_, index) => make(index))
}

/** The same request again and again. */
export function repeat(request: string): Chain {
  return { next: () => request }
}

/** Every chain takes the next request from one list, once. */
export function takeOnce(requests: readonly string[]): Chain[] {
  let taken = 0
  return forEachConnection(() => ({ next: () => requests[taken++] }))
}

/** Each answer's refresh token is what the next request presents. */
export function refreshChain(path: string, fields: Fields, firstToken: string): Chain {
  let token = firstToken
  return {
    next: () => formRequest(path, { ...fields, refresh_token: token }),
    answered(body) {
      token = readMember(body, 'refresh_token')
    },
  }
}
