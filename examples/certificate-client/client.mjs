// A client that proves itself by its certificate (RFC 8705) and whose access token is bound to it: whoever
// steals the token can do nothing with it. openid-client makes the requests, on connections of our own.

import { readFileSync } from 'node:fs'
import { createTlsFetch } from 'lineage/client'
import {
  clientCredentialsGrant,
  customFetch,
  discovery,
  fetchProtectedResource,
  TlsClientAuth,
} from 'openid-client'

const { ISSUER = 'https://localhost:3000', CLIENT_ID = 'payments' } = process.env
const { CERT_FILE = 'client.crt', KEY_FILE = 'client.key', CA_FILE } = process.env

// Whom we trust as the server; without a file of ours, whom Node trusts.
const ca = CA_FILE ? { ca: readFileSync(CA_FILE) } : {}
// Read again for every request, so that a renewed certificate needs no restart.
const tlsFetch = createTlsFetch(() => ({
  ...ca,
  cert: readFileSync(CERT_FILE),
  key: readFileSync(KEY_FILE),
}))

const config = await discovery(
  new URL(ISSUER),
  CLIENT_ID,
  // At the host that asks for certificates, where the metadata tells of another one.
  { use_mtls_endpoint_aliases: true },
  TlsClientAuth(),
  { algorithm: 'oauth2', [customFetch]: tlsFetch },
)
const { access_token: token, token_type: type } = await clientCredentialsGrant(config)

const api = new URL(`${ISSUER}/verify`)
const proven = await fetchProtectedResource(config, token, api, 'GET')
const stolen = await createTlsFetch(ca)(api, { headers: { authorization: `Bearer ${token}` } })
console.log(JSON.stringify({ type, proven: proven.status, stolen: stolen.status }))
