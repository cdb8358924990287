// private_key_jwt: a JWT about the client, by the client, signed with its own key (RFC 7523 §2.2, §3;
// OpenID Connect Core §9).

import { expiryMs, findTextClaim } from '../assertions/assertion-checks.ts'
import type { ForeignJwt } from '../assertions/foreign-jwt.ts'
import { statedKeys } from '../assertions/key-source.ts'
import { verifyAssertion } from '../assertions/verify-assertion.ts'
import type { Client } from '../clients/client.ts'
import type { AssertionReason } from '../oauth/assertion-reason.ts'
import type { OAuthReason } from '../oauth/oauth-error.ts'
import { makeKeyPairSync } from '../runtime/key-pair.ts'
import type {
  AssertionServices,
  AuthenticationMethod,
  ClientAuthServices,
  ClientForm,
  ClientRequest,
  PresentedClient,
} from './authentication-method.ts'
import { ASSERTION, readClientAssertion } from './client-assertion.ts'
import { keySourceOf } from './client-key-source.ts'

/** Longer ones are worth stealing. */
const LIFE_SECONDS_MAX = 300

export const privateKeyJwt: AuthenticationMethod = {
  method: 'private_key_jwt',
  proof: 'key',
  parameter: ASSERTION,
  findLack: ({ jwks, jwksUri }) => (jwks || jwksUri ? undefined : 'needs jwks or jwksUri'),
  read,
  authenticate,
}

/** Its own are those whose issuer is their subject. */
function read({ form }: ClientForm): PresentedClient | undefined {
  const { text, jwt } = readClientAssertion(form)
  const clientId = findTextClaim(jwt, 'sub')
  if (clientId === undefined || findTextClaim(jwt, 'iss') !== clientId) return undefined
  return { clientId, proof: text }
}

async function authenticate(
  _proof: string,
  client: Client | undefined,
  { assertions }: ClientAuthServices,
  { form }: ClientRequest,
): Promise<OAuthReason | undefined> {
  const reason = await findRefusal(readClientAssertion(form).jwt, client, assertions)
  return reason && `client_assertion_${reason}`
}

async function findRefusal(
  jwt: ForeignJwt,
  client: Client | undefined,
  { audiences, remoteKeys, singleUse, clock }: AssertionServices,
): Promise<AssertionReason | undefined> {
  // For an unknown client as it says itself, so that the same is checked.
  const issuer = client?.id ?? findTextClaim(jwt, 'sub') ?? ''
  const rules = {
    types: ['jwt', 'client-authentication+jwt'],
    algs: client?.assertionAlgs ?? [],
    issuer,
    subject: issuer,
    audiences,
    lifeSecondsMax: LIFE_SECONDS_MAX,
    jti: 'required',
  } as const
  const source = (client && keySourceOf(client, remoteKeys)) ?? NOBODYS_KEYS
  const reason = await verifyAssertion(jwt, rules, source, clock())
  if (reason) return reason
  // Only now: nobody but the client uses up an id of its own.
  const jti = findTextClaim(jwt, 'jti') ?? ''
  const isFirst = await singleUse.take(`client ${issuer}`, jti, expiryMs(jwt))
  return isFirst ? undefined : 'replayed'
}

/** What the assertions of clients that have no keys, or do not exist, are verified with. */
const NOBODYS_KEYS = statedKeys({
  keys: [
    makeKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
    makeKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }),
  ],
})
