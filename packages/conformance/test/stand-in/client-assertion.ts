// private_key_jwt (RFC 7523 §2.2 and §3): a client signs who it is and whom it speaks to.

import { compactVerify, decodeJwt, decodeProtectedHeader, importJWK, type JWTPayload } from 'jose'
import type { Form } from './form.ts'
import type { Client, State } from './state.ts'
import { invalidRequest, type Refusal } from './wire.ts'

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const LIFETIME_MAX_SECONDS = 600

/** The client that signed. Throws `refusal`, or invalid_request for a malformed request. */
export async function verifyAssertion(state: State, form: Form, refusal: Refusal): Promise<Client> {
  const { has } = state
  if (form.get('client_assertion_type') !== TYPE && !has('assertion-type-ignored')) {
    throw invalidRequest('client_assertion_type is not known')
  }
  const assertion = form.need('client_assertion')
  const client = findSigner(state, assertion, form.get('client_id'))
  if (!client?.assertionKey) throw refusal
  try {
    await checkAssertion(state, client, assertion)
    return client
  } catch {
    throw refusal
  }
}

function findSigner({ clients }: State, assertion: string, named: string | undefined) {
  try {
    const { sub } = decodeJwt(assertion)
    if (named !== undefined && named !== sub) return undefined
    return clients.get(sub ?? '')
  } catch {
    return undefined
  }
}

async function checkAssertion(state: State, client: Client, assertion: string): Promise<void> {
  const { has, issuer, seenJtis } = state
  const { alg } = decodeProtectedHeader(assertion)
  const claims =
    alg === 'none' && has('unsigned-assertion-taken')
      ? decodeJwt(assertion)
      : await verifySignature(client, assertion)
  const now = Date.now() / 1000
  const hasRightParties = claims.iss === client.id && claims.sub === client.id
  if (!hasRightParties && !has('assertion-iss-ignored')) throw new Error('iss or sub')
  if (!isForUs(claims, issuer) && !has('assertion-aud-ignored')) throw new Error('aud')
  if (claims.exp === undefined || (claims.exp <= now && !has('expired-assertion-taken'))) {
    throw new Error('exp')
  }
  if (claims.exp > now + LIFETIME_MAX_SECONDS) throw new Error('exp is far away')
  if ((claims.nbf ?? 0) > now + 5 && !has('assertion-nbf-ignored')) throw new Error('nbf')
  if ((claims.iat ?? 0) > now + 5) throw new Error('iat')
  if (!claims.jti) throw new Error('jti')
  const seen = `assertion ${client.id} ${claims.jti}`
  if (seenJtis.has(seen) && !has('assertion-replay-taken')) throw new Error('jti was used')
  seenJtis.add(seen)
}

/** The issuer alone: a URL of an endpoint would let another server's assertion in. */
function isForUs({ aud }: JWTPayload, issuer: string): boolean {
  return aud === issuer || (Array.isArray(aud) && aud.length === 1 && aud[0] === issuer)
}

async function verifySignature(client: Client, assertion: string): Promise<JWTPayload> {
  const jwk = client.assertionKey ?? {}
  const key = await importJWK(jwk, jwk.alg)
  const algorithms = jwk.alg === undefined ? [] : [jwk.alg]
  const { payload } = await compactVerify(assertion, key, { algorithms })
  return JSON.parse(Buffer.from(payload).toString()) as JWTPayload
}
