// A service that calls both APIs. It knows nothing of algorithms: it says whom each token is for.

import { createTokenSource } from 'lineage/client'

const {
  ISSUER = 'http://localhost:3000',
  OLD_API = 'http://127.0.0.1:4005',
  NEW_API = 'http://127.0.0.1:4006',
  CLIENT_ID,
  CLIENT_SECRET_FILE,
} = process.env
if (!CLIENT_ID || !CLIENT_SECRET_FILE) {
  throw new Error('CLIENT_ID and CLIENT_SECRET_FILE are needed')
}

const source = createTokenSource({
  issuer: ISSUER,
  clientId: CLIENT_ID,
  auth: { method: 'client_secret_basic', secret: { file: CLIENT_SECRET_FILE } },
})
const forOld = { resource: 'https://old-api.example' }
const forNew = { resource: 'https://new-api.example' }

async function call(url, token) {
  const { accessToken } = await source.getToken(token)
  const { alg } = JSON.parse(Buffer.from(accessToken.split('.')[0], 'base64url').toString())
  const answer = await source.fetch(url, { token })
  return `${alg} ${answer.status}`
}

const old = await call(OLD_API, forOld)
const young = await call(NEW_API, forNew)
console.log(JSON.stringify({ old, new: young }))
