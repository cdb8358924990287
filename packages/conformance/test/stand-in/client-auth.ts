// Who calls: Basic, the form, a signed assertion, a certificate, or nothing but a name (RFC 6749 §2.3,
// RFC 7523, RFC 8705).

import { createHash, timingSafeEqual } from 'node:crypto'
import { verifyAssertion } from './client-assertion.ts'
import { hasOwnCertificate } from './client-certificate.ts'
import { decodeText, type Form } from './form.ts'
import { countGuess, isThrottled, throttled } from './guess-limit.ts'
import { type Client, isPublic, type State } from './state.ts'
import { type Call, invalidRequest, Refusal } from './wire.ts'

interface Presented {
  readonly id: string
  readonly secret?: string
}

/** The client of a call. Throws invalid_client with 401, or invalid_request for two mechanisms. */
export async function authenticateClient(state: State, call: Call, form: Form): Promise<Client> {
  const { has } = state
  const { authorization } = call.headers
  const mechanisms = [authorization, form.get('client_secret'), form.get('client_assertion')]
  if (mechanisms.filter(Boolean).length > 1 && !has('two-mechanisms-taken')) {
    throw invalidRequest('the client proves itself twice')
  }
  const named = form.get('client_id')
  if (form.get('client_assertion')) return await verifyAssertion(state, form, invalidClient(state))
  const believed = has('identity-header-believed') ? nameInHeader(state, call) : undefined
  if (believed) return believed
  const presented = authorization === undefined ? fromForm(form) : fromHeader(state, authorization)
  if (!presented) throw invalidClient(state)
  if (named !== undefined && named !== presented.id && !has('other-client-id-ignored')) {
    throw invalidRequest('client_id names another client')
  }
  return checkSecret(state, call, presented)
}

export function invalidClient({ has }: Pick<State, 'has'>): Refusal {
  const challenge = has('challenge-missing') ? {} : { 'WWW-Authenticate': 'Basic realm="stand-in"' }
  const status = has('client-failure-as-400') ? 400 : 401
  return new Refusal('invalid_client', 'the client is not known', status, challenge)
}

/** What a proxy sets after it has looked at a certificate, and anybody else can set, too. */
function nameInHeader({ clients }: State, { headers }: Call): Client | undefined {
  const name = headers['x-client-id']
  return typeof name === 'string' ? clients.get(name) : undefined
}

function fromForm(form: Form): Presented | undefined {
  const [id, secret] = [form.get('client_id'), form.get('client_secret')]
  if (id === undefined) return undefined
  return { id, ...(secret === undefined ? {} : { secret }) }
}

function fromHeader(state: State, authorization: string): Presented {
  const { has } = state
  const [, encoded] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? []
  const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString()
  const [id, secret] = text.split(/:(.*)/s)
  if (id === undefined || secret === undefined) {
    if (has('bad-basic-crashes')) throw new TypeError('cannot read a property of undefined')
    throw invalidClient(state)
  }
  if (has('basic-not-form-decoded')) return { id, secret }
  try {
    return { id: decodeText(id, has), secret: decodeText(secret, has) }
  } catch {
    throw invalidClient(state)
  }
}

function checkSecret(state: State, call: Call, { id, secret }: Presented): Client {
  const { path } = call
  const { has, clients } = state
  const key = `client ${id}`
  if (isThrottled(state, key) && !has('secrets-not-throttled')) throw throttled(has)
  const client = clients.get(id)
  const known = has('second-secret-refused') ? client?.secrets.slice(0, 1) : client?.secrets
  const isRight =
    client && (isPublic(client) || (client.assertionKey && has('name-enough-for-signer')))
      ? secret === undefined
      : (known ?? []).some((one) => isSame(secret ?? '', one))
  const isWaved =
    secret === undefined &&
    ((has('secretless-client-taken') && path.endsWith('/token')) ||
      (has('secretless-client-may-revoke') && path.endsWith('/revoke')))
  const isShown = client && secret === undefined && hasOwnCertificate(state, call, client)
  if (client && (isRight || isWaved || isShown)) return client
  countGuess(state, key, secret ?? '')
  if (has('client-enumeration') && !client) {
    throw new Refusal('invalid_client', 'there is no such client', 401, {
      'WWW-Authenticate': 'Basic realm="stand-in"',
    })
  }
  throw invalidClient(state)
}

function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}
