// The two libraries exchange a token (RFC 8693) by their calls for grants that they do not know themselves.

import { decodeJwt } from 'jose'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { test } from 'tap'
import { API, startScene } from '../../scenes/integration-scene.ts'
import { logIn } from '../../support/app.ts'

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

test('oauth4webapi and openid-client exchange a token of a user', async (t) => {
  const scene = await startScene(t)
  const [web, user] = [await scene.makeClient({}), await scene.makeUser()]
  const gateway = await scene.makeClient({
    type: 'confidential',
    grantTypes: [EXCHANGE],
    exchange: [{ audience: API, scopes: [], subjectClients: [web.id], mode: 'delegation' }],
  })
  const { access_token: subjectToken } = await logIn(scene, web, user)
  const parameters = {
    subject_token: subjectToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    audience: API,
  }
  const issuer = new URL(scene.issuer)
  const http = { [oauth.allowInsecureRequests]: true } as const
  const found = await oauth.discoveryRequest(issuer, { ...http, algorithm: 'oauth2' })
  const as = await oauth.processDiscoveryResponse(issuer, found)
  const client = { client_id: gateway.id }
  const auth = oauth.ClientSecretBasic(gateway.secret)
  const answer = await oauth.genericTokenEndpointRequest(
    ...([as, client, auth, EXCHANGE, new URLSearchParams(parameters), http] as const),
  )
  const one = await oauth.processGenericTokenEndpointResponse(as, client, answer)
  const config = await openid.discovery(issuer, gateway.id, gateway.secret, undefined, {
    execute: [openid.allowInsecureRequests],
    algorithm: 'oauth2',
  })
  const other = await openid.genericGrantRequest(config, EXCHANGE, parameters)
  for (const issued of [one, other]) {
    t.equal(issued.issued_token_type, parameters.subject_token_type)
    t.match(decodeJwt(issued.access_token), { sub: user.id, aud: API, act: { sub: gateway.id } })
  }
})
