// A token for a service that has no secret: it signs a JWT about itself with its key (private_key_jwt,
// RFC 7523 §2.2), and openid-client does that. Prints the answer.

import { readFileSync } from 'node:fs'
import {
  allowInsecureRequests,
  clientCredentialsGrant,
  discovery,
  PrivateKeyJwt,
} from 'openid-client'

const { ISSUER = 'http://localhost:3000', CLIENT_ID = 'worker', SCOPE } = process.env
const { PRIVATE_KEY_FILE: file = 'private-key.json' } = process.env

const jwk = JSON.parse(readFileSync(file, 'utf8'))
const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign'])

const issuer = new URL(ISSUER)
// Plain http, as Lineage speaks it on your own machine.
const execute = issuer.protocol === 'http:' ? [allowInsecureRequests] : []
const config = await discovery(
  issuer,
  CLIENT_ID,
  undefined,
  PrivateKeyJwt({ key, kid: jwk.kid }),
  { algorithm: 'oauth2', execute },
)
const { access_token, expires_in, scope } = await clientCredentialsGrant(
  config,
  SCOPE === undefined ? {} : { scope: SCOPE },
)
console.log(JSON.stringify({ access_token, expires_in, scope }))
