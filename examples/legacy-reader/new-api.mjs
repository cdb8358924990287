// The API beside it, which reads ES256 and nothing else.

import { createServer } from 'node:http'
import { createVerifier, presentRequest } from 'lineage/verify'

const { ISSUER = 'http://localhost:3000', PORT = '4006' } = process.env
const { AUDIENCE = 'https://new-api.example' } = process.env

const verifier = createVerifier({ issuer: ISSUER, audience: AUDIENCE, algorithms: ['ES256'] })

const server = createServer(async (request, response) => {
  const { ok, claims, refusal } = await verifier.authorize(presentRequest(request))
  const { status, headers } = ok ? { status: 200, headers: {} } : refusal
  response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify(ok ? { owner: claims.sub } : {}))
})

server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`The new API listens on http://127.0.0.1:${server.address().port}`)
})
