// The service of examples/ that has a key and no secret, as processes beside a real Lineage, and the same
// by another library with every algorithm.

import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as oauth from 'oauth4webapi'
import { test } from 'tap'
import { EXAMPLES, startIssuer } from './example-process.ts'

const run = promisify(execFile)

test('examples/key-client makes its key and gets a token with it', async (t) => {
  const { service, issuer } = await startIssuer(t)
  const file = join(t.testdir({}), 'private-key.json')
  const runExample = async (script: string, env: Record<string, string> = {}) => {
    const program = [process.execPath, join(EXAMPLES, 'key-client', script)]
    const all = { PATH: process.env.PATH, PRIVATE_KEY_FILE: file, ISSUER: issuer, ...env }
    // tap would load itself into every Node child.
    const { stdout } = await run('env', ['-u', 'NODE_OPTIONS', ...program], { env: all })
    return JSON.parse(stdout) as Record<string, unknown>
  }
  const jwks = (await runExample('make-key.mjs')) as { keys: object[] }
  t.equal(statSync(file).mode & 0o077, 0, 'nobody else reads the key')
  t.notOk(JSON.stringify(jwks).includes('"d"'), 'only the public key is printed')
  const { id } = await service.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    authMethods: ['private_key_jwt'],
    scopes: ['jobs:run'],
    jwks: jwks as never,
  })
  for (const what of ['once', 'again']) {
    const answer = await runExample('token.mjs', { CLIENT_ID: id, SCOPE: 'jobs:run' })
    t.match(answer, { scope: 'jobs:run', access_token: String, expires_in: Number }, what)
  }
  await t.rejects(runExample('make-key.mjs'), 'a key is never overwritten')
})

test('oauth4webapi proves a client by a key of every algorithm', async (t) => {
  const { service, issuer } = await startIssuer(t)
  const insecure = { [oauth.allowInsecureRequests]: true }
  const discovered = await oauth.discoveryRequest(new URL(issuer), {
    algorithm: 'oauth2',
    ...insecure,
  })
  const server = await oauth.processDiscoveryResponse(new URL(issuer), discovered)
  for (const alg of ['ES256', 'Ed25519', 'RS256', 'PS256']) {
    const { privateKey, publicKey } = await oauth.generateKeyPair(alg)
    const jwk = await crypto.subtle.exportKey('jwk', publicKey)
    const { id: client_id } = await service.makeClient({
      type: 'confidential',
      grantTypes: ['client_credentials'],
      authMethods: ['private_key_jwt'],
      // WebCrypto names operations and an algorithm of its own.
      jwks: { keys: [{ ...jwk, kid: alg, alg }] } as never,
    })
    const client = { client_id }
    const answer = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      oauth.PrivateKeyJwt({ key: privateKey, kid: alg }),
      {},
      insecure,
    )
    const token = await oauth.processClientCredentialsResponse(server, client, answer)
    t.type(token.access_token, 'string', alg)
  }
})
