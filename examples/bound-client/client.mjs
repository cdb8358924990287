// A client whose access token is bound to a key of its own: whoever steals the token can do nothing with it.

import { readFile } from 'node:fs/promises'
import { openBoundFetch } from './bound-fetch.mjs'

const { ISSUER = 'http://localhost:3000', CLIENT_ID, CLIENT_SECRET_FILE } = process.env
if (!CLIENT_ID || !CLIENT_SECRET_FILE) {
  throw new Error('CLIENT_ID and CLIENT_SECRET_FILE are needed')
}

const boundFetch = openBoundFetch()
const answer = await boundFetch(`${ISSUER}/token`, {
  method: 'POST',
  body: new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: CLIENT_ID,
    client_secret: (await readFile(CLIENT_SECRET_FILE, 'utf8')).trim(),
  }),
})
const { access_token: token, token_type: type, error } = await answer.json()
if (!answer.ok) throw new Error(`no access token: ${error}`)

const proven = await boundFetch(`${ISSUER}/verify`, { token })
const stolen = await fetch(`${ISSUER}/verify`, { headers: { authorization: `Bearer ${token}` } })
console.log(JSON.stringify({ type, proven: proven.status, stolen: stolen.status }))
