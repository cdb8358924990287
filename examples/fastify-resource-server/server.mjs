// An API in Fastify that takes Lineage's access tokens: each route names the scope that it needs.

import fastify from 'fastify'
import { openVerifier } from './access-token.mjs'

const { ISSUER = 'http://localhost:3000', AUDIENCE, PORT = '4002' } = process.env
if (!AUDIENCE) throw new Error('AUDIENCE is missing: the name of this API in the tokens')

const authorize = openVerifier({ issuer: ISSUER, audience: AUDIENCE })
const app = fastify()
app.decorateRequest('claims', null)

// Before the body is read: who may not come in sends nothing in.
const withScope = (scope) => ({
  onRequest: async (request, reply) => {
    const { claims, refusal } = await authorize(request.headers.authorization, scope)
    if (!refusal) {
      request.claims = claims
      return
    }
    const { status, headers, error } = refusal
    return await reply.code(status).headers(headers).send({ error })
  },
})

app.get('/notes', withScope('notes:read'), async ({ claims }) => ({
  owner: claims.sub,
  notes: ['Buy milk', 'Rotate tokens'],
}))
app.delete('/notes', withScope('notes:write'), async (_, reply) => reply.code(204).send())

const url = await app.listen({ port: Number(PORT), host: '127.0.0.1' })
console.log(`The API listens on ${url}`)
