// A service that calls an API in its own name: every request to it is one call of the API.

import { createServer } from 'node:http'
import { createTokenSource } from 'lineage/client'

const {
  ISSUER = 'http://localhost:3000',
  TOKEN_ENDPOINT,
  API = 'http://127.0.0.1:4002',
  PORT = '4003',
  CLIENT_ID,
  CLIENT_SECRET_FILE,
  SCOPE,
  RESOURCE,
} = process.env
if (!CLIENT_ID || !CLIENT_SECRET_FILE) {
  throw new Error('CLIENT_ID and CLIENT_SECRET_FILE are needed')
}

const api = createTokenSource({
  ...(TOKEN_ENDPOINT ? { tokenEndpoint: TOKEN_ENDPOINT } : { issuer: ISSUER }),
  clientId: CLIENT_ID,
  // Read again for every token, so that a new secret needs no restart.
  auth: { method: 'client_secret_basic', secret: { file: CLIENT_SECRET_FILE } },
  scope: SCOPE,
  resource: RESOURCE,
})

const server = createServer(async (_, response) => {
  const answer = (status, body) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  try {
    const { ok, status, body } = await callApi()
    // The API's refusal of us is no refusal of our own caller.
    if (ok) answer(200, { notes: body.notes.length })
    else answer(502, { error: `the API answered ${status}` })
  } catch (error) {
    console.error(error.message)
    answer(502, { error: 'the API could not be called' })
  }
})

async function callApi() {
  const response = await api.fetch(`${API}/notes`)
  return { ok: response.ok, status: response.status, body: await response.json() }
}

server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`The service listens on http://127.0.0.1:${server.address().port}`)
})
