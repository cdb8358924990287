// An API whose library reads RS256 and nothing else: jsonwebtoken, with the keys by jwks-rsa.

import { createServer } from 'node:http'
import jwt from 'jsonwebtoken'
import jwksClient from 'jwks-rsa'

const { ISSUER = 'http://localhost:3000', PORT = '4005' } = process.env
const { AUDIENCE = 'https://old-api.example' } = process.env

const keys = jwksClient({ jwksUri: `${ISSUER}/.well-known/jwks.json` })
const rules = { algorithms: ['RS256'], issuer: ISSUER, audience: AUDIENCE, complete: true }

async function verify(token) {
  const key = await keys.getSigningKey(jwt.decode(token, { complete: true })?.header.kid)
  const { header, payload } = jwt.verify(token, key.getPublicKey(), rules)
  // jsonwebtoken does not look at the type of a token (RFC 9068 §4).
  if (header.typ !== 'at+jwt') throw new jwt.JsonWebTokenError('no access token')
  return payload
}

const server = createServer(async (request, response) => {
  const answer = (status, body, headers = {}) =>
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(body))
  const token = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (!token) return answer(401, {}, { 'www-authenticate': 'Bearer' })
  try {
    const { sub } = await verify(token)
    return answer(200, { owner: sub })
  } catch (error) {
    const isRefused =
      error instanceof jwt.JsonWebTokenError || error.name === 'SigningKeyNotFoundError'
    // Without the keys nobody knows.
    if (!isRefused) return answer(503, {})
    return answer(401, {}, { 'www-authenticate': 'Bearer error="invalid_token"' })
  }
})

server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`The old API listens on http://127.0.0.1:${server.address().port}`)
})
