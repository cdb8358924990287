// A protected API. It knows the issuer and its own name, fetches the public keys, and asks Lineage
// nothing else.

import { createRemoteJWKSet, jwtVerify } from 'jose'

/** A request handler: `GET /notes` for whoever has the scope `notes:read`. */
export function openApi({ issuer, audience, appOrigin }) {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
  const expected = { issuer, audience, typ: 'at+jwt', requiredClaims: ['exp', 'sub', 'client_id'] }

  async function authenticate(request) {
    const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
    return (await jwtVerify(token, keys, expected)).payload
  }

  return async (request, response) => {
    response.setHeader('access-control-allow-origin', appOrigin)
    response.setHeader('vary', 'Origin')
    // A script's Authorization header makes the browser ask first. No cookies: the token is enough.
    if (request.method === 'OPTIONS') {
      response.writeHead(204, { 'access-control-allow-headers': 'Authorization' }).end()
      return
    }
    const answer = (status, body) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.url !== '/notes') return answer(404, { error: 'not found' })
    try {
      const { sub, scope = '' } = await authenticate(request)
      if (!scope.split(' ').includes('notes:read')) {
        return answer(403, { error: 'insufficient scope' })
      }
      answer(200, { owner: sub, notes: ['Buy milk', 'Rotate tokens'] })
    } catch {
      answer(401, { error: 'no valid access token' })
    }
  }
}
