// One request to the token endpoint: authenticated, with a proof where there is a key, made again where
// the server asks for a nonce, and its answer as a token or an error.

import type { TokenForm } from './auth-request.ts'
import { exchangeJson, type Fetch, type JsonAnswer } from './bounded-exchange.ts'
import { type ClientAuth, proveClient } from './client-auth.ts'
import type { ClientClock } from './client-clock.ts'
import { OAuthResponseError, TokenRequestError } from './client-errors.ts'
import type { DpopProver } from './dpop-prover.ts'
import { type IssuedToken, readIssuedToken } from './issued-token.ts'

const MAX_BYTES = 65_536
/** Of a description. */
const MAX_LENGTH = 300
/** What is shorter stands in many a text, and keeps nothing secret. */
const SECRET_MIN_LENGTH = 8
/** What of a form nobody else may read. */
const SECRET_PARAMETERS = [
  'client_secret',
  'client_assertion',
  'assertion',
  'password',
  'refresh_token',
  'subject_token',
  'actor_token',
]

export type Parameters = Readonly<Record<string, string | readonly string[] | undefined>>

export interface RequestSettings {
  readonly clientId: string
  readonly issuer: string | undefined
  readonly auth: ClientAuth
  readonly fetch: Fetch
  readonly timeoutMs: number
  readonly clock: ClientClock
  readonly prover: DpopProver | undefined
}

/** Throws OAuthResponseError, TokenRequestError, and the reason of `signal`. */
export async function requestToken(
  settings: RequestSettings,
  tokenEndpoint: string,
  parameters: Parameters,
  signal?: AbortSignal,
): Promise<IssuedToken> {
  const { clock, prover } = settings
  const askedAtMs = clock.nowMs()
  let sent = await send(settings, tokenEndpoint, parameters, signal)
  const hasNonce = prover?.learn(tokenEndpoint, sent.answer.headers) ?? false
  // RFC 9449 §8; a server that goes on asking is refusing.
  if (hasNonce && sent.answer.json?.error === 'use_dpop_nonce') {
    sent = await send(settings, tokenEndpoint, parameters, signal)
    prover?.learn(tokenEndpoint, sent.answer.headers)
  }
  const { answer, form } = sent
  if (answer.status === 200) {
    return readIssuedToken(answer.json, { askedAtMs, isBound: prover !== undefined })
  }
  throw refusalOf(answer, secretsOf(form))
}

async function send(
  settings: RequestSettings,
  url: string,
  parameters: Parameters,
  signal: AbortSignal | undefined,
): Promise<{ answer: JsonAnswer; form: TokenForm }> {
  const { auth, clientId, issuer, clock, fetch, timeoutMs, prover } = settings
  const form: TokenForm = { headers: new Headers(), body: toForm(parameters), secrets: [] }
  form.headers.set('accept', 'application/json')
  // A new one for each attempt: an assertion may be good once only (RFC 7523 §3).
  const context = { clientId, issuer, tokenEndpoint: url, nowMs: clock.nowMs() }
  await proveClient(auth, form, context)
  if (prover) form.headers.set('dpop', await prover.prove({ method: 'POST', url }))
  const { headers, body } = form
  const exchange = { fetch, timeoutMs, maxBytes: MAX_BYTES, nowMs: clock.nowMs }
  const answer = await exchangeJson(url, { method: 'POST', headers, body }, exchange, signal)
  return { answer, form }
}

function toForm(parameters: Parameters): URLSearchParams {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of typeof value === 'string' ? [value] : (value ?? [])) form.append(name, one)
  }
  return form
}

function refusalOf(
  { status, json, retryAfterSeconds }: JsonAnswer,
  secrets: readonly string[],
): OAuthResponseError | TokenRequestError {
  const { error } = json ?? {}
  if (typeof error === 'string' && isPrintable(error)) {
    const shown = (text: unknown) =>
      typeof text === 'string' && isPrintable(text) && !secrets.some((one) => text.includes(one))
        ? text.slice(0, MAX_LENGTH)
        : undefined
    const description = shown(json?.error_description)
    const refusal = { error: shown(error) ?? 'unknown', error_description: description, status }
    return new OAuthResponseError(refusal, retryAfterSeconds)
  }
  const code = status === 429 || status >= 500 ? 'unavailable' : 'invalid_answer'
  const message = `the token endpoint answered ${status} without an OAuth error`
  return new TokenRequestError(code, message, { retryAfterSeconds })
}

function secretsOf({ body, secrets }: TokenForm): string[] {
  const given = [...secrets, ...SECRET_PARAMETERS.flatMap((name) => body.getAll(name))]
  return given.filter(({ length }) => length >= SECRET_MIN_LENGTH)
}

/** The characters of RFC 6749 §5.2. */
function isPrintable(text: string): boolean {
  return [...text].every((character) => character >= ' ' && character <= '~')
}
