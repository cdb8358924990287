// Requests that no well-behaved client writes: forms with doubles and bad escapes, bodies of other
// media types, and answers that never come because the connection was cut.

import { addClient } from './client-login.ts'
import { NotApplicable } from './conformance-check.ts'
import type { TestedClient } from './credentials.ts'
import type { Answer, HeaderList } from './http-exchange.ts'
import type { EndpointName, Parameters, TestedService } from './tested-service.ts'

const FORM_TYPE = 'application/x-www-form-urlencoded'

/** Names and values in the order in which they are sent; a name may stand there twice. */
export type Pairs = readonly (readonly [name: string, value: string])[]

export interface BodyRequest {
  readonly body: string | Buffer
  /** A form unless it says otherwise. */
  readonly contentType?: string
  /** Whose credentials go with it; a public client has to stand in the body already. */
  readonly client?: TestedClient | undefined
  readonly headers?: HeaderList
  /** After the endpoint's URL, without its question mark. */
  readonly query?: string
}

/** POSTs a body as it stands. Throws NotApplicable when the metadata names no such endpoint. */
export async function postBody(
  service: TestedService,
  name: EndpointName,
  { body, contentType = FORM_TYPE, client, headers = [], query }: BodyRequest,
): Promise<Answer> {
  const url = endpointOf(service, name)
  const own: [string, string][] = [['Content-Type', contentType]]
  const extra = new URLSearchParams()
  if (client?.secret !== undefined) addClient(client, extra, own)
  const isInForm = extra.size > 0 && contentType.startsWith(FORM_TYPE)
  const whole = isInForm ? Buffer.concat([Buffer.from(body), Buffer.from(`&${extra}`)]) : body
  const target = query === undefined ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`
  return await service.send(target, { body: whole, headers: [...own, ...headers] })
}

/** POSTs a form, pair by pair, with the client's credentials added in its own way. */
export async function postPairs(
  service: TestedService,
  name: EndpointName,
  pairs: Pairs,
  client?: TestedClient,
): Promise<Answer> {
  const headers: [string, string][] = [['Content-Type', FORM_TYPE]]
  const own = new URLSearchParams()
  if (client) addClient(client, own, headers)
  const form = new URLSearchParams()
  for (const [key, value] of [...pairs, ...own]) form.append(key, value)
  return await service.send(endpointOf(service, name), { body: form.toString(), headers })
}

/** The pairs of a request, without what is undefined. */
export function toPairs(parameters: Parameters): Pairs {
  return Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
}

/** Undefined when the service cut the connection in place of an answer. */
export async function settle(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ECONNRESET' || code === 'EPIPE') return undefined
    throw error
  }
}

/** Throws NotApplicable when the metadata names none. */
export function endpointOf(service: TestedService, name: EndpointName): string {
  const url = service.endpoint(name)
  if (!url) throw new NotApplicable(`the metadata names no ${name} endpoint`)
  return url
}
