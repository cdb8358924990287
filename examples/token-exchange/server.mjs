// A service that is called with somebody's token and calls an API on, for the same person: each request
// to it is one exchange and one call.

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { openExchange, TokenRefused } from './token-exchange.mjs'

const {
  ISSUER = 'http://localhost:3000',
  API = 'http://127.0.0.1:4002',
  PORT = '4004',
  CLIENT_ID,
  CLIENT_SECRET_FILE,
  AUDIENCE,
  SCOPE,
} = process.env
if (!CLIENT_ID || !CLIENT_SECRET_FILE) {
  throw new Error('CLIENT_ID and CLIENT_SECRET_FILE are needed')
}

const exchange = openExchange({
  issuer: ISSUER,
  clientId: CLIENT_ID,
  readSecret: async () => (await readFile(CLIENT_SECRET_FILE, 'utf8')).trim(),
  audience: AUDIENCE,
  scope: SCOPE,
})

const server = createServer(async (request, response) => {
  const answer = (status, body, headers = {}) =>
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(body))
  const token = /^bearer +([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (!token) return answer(401, { error: 'no token' }, { 'www-authenticate': 'Bearer' })
  try {
    const { ok, status, body } = await callApi(await exchange(token))
    // The API's refusal of us is no refusal of our own caller.
    if (ok) return answer(200, { owner: body.owner, notes: body.notes.length })
    return answer(502, { error: `the API answered ${status}` })
  } catch (error) {
    if (error instanceof TokenRefused) {
      const challenge = { 'www-authenticate': 'Bearer error="invalid_token"' }
      return answer(401, { error: 'invalid_token' }, challenge)
    }
    console.error(error.message)
    return answer(502, { error: 'the API could not be called' })
  }
})

async function callApi(token) {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${API}/notes`, { headers, signal: AbortSignal.timeout(5_000) })
  return { ok: response.ok, status: response.status, body: await response.json() }
}

server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`The service listens on http://127.0.0.1:${server.address().port}`)
})
