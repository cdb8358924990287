// An API in Fastify that takes Lineage's access tokens: each route names the scope that it needs.

import fastify from 'fastify'
import { createFastifyHook, createVerifier } from 'lineage/verify'

const { ISSUER = 'http://localhost:3000', AUDIENCE, PORT = '4002', PUBLIC_URL } = process.env
if (!AUDIENCE) throw new Error('AUDIENCE is missing: the name of this API in the tokens')

const verifier = createVerifier({ issuer: ISSUER, audience: AUDIENCE })
const app = fastify()
app.decorateRequest('claims', null)

// Before the body is read: who may not come in sends nothing in. A proof names the URL that the client
// knows, which behind a proxy only we can tell.
const view = PUBLIC_URL ? { publicUrl: PUBLIC_URL } : {}
const withScope = (scope) => ({ onRequest: createFastifyHook(verifier, { ...view, scope }) })

app.get('/notes', withScope('notes:read'), async ({ claims }) => ({
  owner: claims.sub,
  notes: ['Buy milk', 'Rotate tokens'],
}))
app.delete('/notes', withScope('notes:write'), async (_, reply) => reply.code(204).send())

const url = await app.listen({ port: Number(PORT), host: '127.0.0.1' })
console.log(`The API listens on ${url}`)
