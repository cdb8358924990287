// An API in Express that takes Lineage's access tokens: each route names the scope that it needs.

import express from 'express'
import { openVerifier } from './access-token.mjs'

const { ISSUER = 'http://localhost:3000', AUDIENCE, PORT = '4002' } = process.env
if (!AUDIENCE) throw new Error('AUDIENCE is missing: the name of this API in the tokens')

const authorize = openVerifier({ issuer: ISSUER, audience: AUDIENCE })
const app = express().disable('x-powered-by')

// Before any parser of bodies: who may not come in sends nothing in.
const withScope = (scope) => async (request, response, next) => {
  const { claims, refusal } = await authorize(request.headers.authorization, scope)
  if (!refusal) {
    response.locals.claims = claims
    return next()
  }
  const { status, headers, error } = refusal
  response.status(status).set(headers).json({ error })
}

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
