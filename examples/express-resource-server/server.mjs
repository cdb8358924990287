// An API in Express that takes Lineage's access tokens: each route names the scope that it needs.

import express from 'express'
import { createExpressMiddleware, createVerifier } from 'lineage/verify'

const { ISSUER = 'http://localhost:3000', AUDIENCE, PORT = '4002', PUBLIC_URL } = process.env
if (!AUDIENCE) throw new Error('AUDIENCE is missing: the name of this API in the tokens')

const verifier = createVerifier({ issuer: ISSUER, audience: AUDIENCE })
const app = express().disable('x-powered-by')

// Before any parser of bodies: who may not come in sends nothing in. A proof names the URL that the
// client knows, which behind a proxy only we can tell.
const view = PUBLIC_URL ? { publicUrl: PUBLIC_URL } : {}
const withScope = (scope) => createExpressMiddleware(verifier, { ...view, scope })

app.get('/notes', withScope('notes:read'), (_, response) => {
  response.json({ owner: response.locals.claims.sub, notes: ['Buy milk', 'Rotate tokens'] })
})
app.delete('/notes', withScope('notes:write'), (_, response) => {
  response.status(204).end()
})

const server = app.listen(Number(PORT), '127.0.0.1', (error) => {
  if (error) throw error
  console.log(`The API listens on http://127.0.0.1:${server.address().port}`)
})
