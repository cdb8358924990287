// The whole example: registers the app as a client of a running Lineage, then serves the app and the
// API that it calls, each on an origin of its own.

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { openApi } from './api.mjs'
import { openApp } from './app.mjs'

const CLIENT_ID = 'example-browser'

// `localhost` in all three places: cookies travel within one site only, and 127.0.0.1 is another.
const appOrigin = `http://localhost:${process.env.APP_PORT || 4000}`
const apiOrigin = `http://localhost:${process.env.API_PORT || 4001}`
const demoFile = process.env.DEMO_FILE || '.lineage/demo.json'

const demo = JSON.parse(
  await readFile(demoFile, 'utf8').catch(() => giveUp(`${demoFile} is not there`)),
)
await registerClient(demo).catch(({ message, cause }) => giveUp(cause?.message ?? message))
await listen(openApi({ issuer: demo.issuer, audience: apiOrigin, appOrigin }), apiOrigin)
await listen(openApp({ issuer: demo.issuer, clientId: CLIENT_ID, api: apiOrigin }), appOrigin)
console.log(`Open ${appOrigin} and log in as ${demo.user.username} / ${demo.user.password}`)

function giveUp(reason) {
  console.error(`${reason}; is Lineage running? Start it first, with npm start`)
  process.exit(1)
}

/** Makes the client, or brings one of an earlier run up to date. */
async function registerClient({ issuer, adminClient }) {
  const basic = Buffer.from(`${adminClient.id}:${adminClient.secret}`).toString('base64')
  const { access_token: token } = await call(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  const client = {
    name: 'Example browser app',
    type: 'public',
    grantTypes: ['password', 'refresh_token'],
    scopes: ['notes:read'],
    defaultScopes: ['notes:read'],
    audiences: [apiOrigin],
    tokenDelivery: 'cookie',
    allowedOrigins: [appOrigin],
  }
  const send = (method, path, body) =>
    call(`${issuer}/admin/clients${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  await send('POST', '', { id: CLIENT_ID, ...client }).catch((error) => {
    if (error.status !== 409) throw error
    return send('PATCH', `/${CLIENT_ID}`, client)
  })
}

async function call(url, init) {
  const response = await fetch(url, init)
  if (response.ok) return await response.json()
  const { status } = response
  throw Object.assign(new Error(`${url}: ${status} ${await response.text()}`), { status })
}

async function listen(handler, origin) {
  // By address: what `localhost` resolves to first differs, and browsers try all of it.
  const server = createServer(handler).listen(Number(new URL(origin).port), '127.0.0.1')
  await once(server, 'listening')
}
