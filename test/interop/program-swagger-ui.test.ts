// Swagger UI, as an API serves it, logs somebody in at a real Lineage from another origin, in a real
// Chromium: what its dialog sends and shows, and what it leaves undone.

import { readFileSync } from 'node:fs'
import { t as file, type Test, test } from 'tap'
import { openSwaggerScene } from '../scenes/swagger-ui-scene.ts'
import { fillIn, readBlocks, readTable } from '../support/documented.ts'
import { until } from '../support/until.ts'
import type { SwaggerPage } from './swagger-ui-dialog.ts'

const scene = await openSwaggerScene(file)
const { service, issuer, origin, foreignOrigin } = scene
const tokenUrl = `${issuer}/token`
const [block = ''] = readBlocks('Swagger UI', 'json')
/** The client of the document. */
const spa = JSON.parse(fillIn(block, { 'https://api.example.com': origin }))
await service.makeClient(spa)
const user = await service.makeUser({ password: 'päss + word & 100%' })
const login = { ...user, clientId: spa.id }

/** What the dialog sent to the token endpoint, and what came back. */
async function authorize(swagger: SwaggerPage, flow: 'password' | 'clientCredentials') {
  const answered = swagger.page.waitForResponse(
    (answer) => answer.url() === tokenUrl && answer.request().method() === 'POST',
  )
  const said = await swagger.authorize(flow)
  const answer = await answered
  const request = answer.request()
  return {
    said,
    headers: await request.allHeaders(),
    form: Object.fromEntries(new URLSearchParams(request.postData() ?? '')),
    tokens: (await answer.json()) as { access_token: string; refresh_token?: string },
  }
}

/** A page that is logged in as `login`, with its dialog closed. */
async function openLoggedIn(t: Test, url = origin) {
  const swagger = await scene.openPage(t, url)
  await swagger.openDialog()
  await swagger.fillPassword(login)
  const { tokens } = await authorize(swagger, 'password')
  await swagger.closeDialog()
  return { swagger, tokens }
}

/** The API, asked by somebody who has kept a token. */
async function callApi(accessToken: string): Promise<number> {
  const headers = { authorization: `Bearer ${accessToken}` }
  return (await fetch(`${foreignOrigin}/notes`, { headers })).status
}

const LOCATIONS = [
  {
    location: 'basic' as const,
    authorization: `Basic ${btoa('spa:')}`,
    client: {},
    asked: 'authorization,x-requested-with',
  },
  {
    location: 'request-body' as const,
    authorization: undefined,
    client: { client_id: 'spa' },
    asked: 'x-requested-with',
  },
]

for (const { location, authorization, client, asked } of LOCATIONS) {
  test(`a public client whose id is sent as ${location}: logs in and calls the API`, async (t) => {
    const swagger = await scene.openPage(t)
    await swagger.openDialog()
    await swagger.fillPassword({ ...login, location })
    const { said, headers, form, tokens } = await authorize(swagger, 'password')
    t.equal(said, 'Authorized')
    const { username, password } = user
    t.strictSame(form, { grant_type: 'password', username, password, ...client })
    t.equal(headers.authorization, authorization)
    t.equal(tokens.refresh_token, undefined, 'the client may not refresh')
    await until('a preflight', () => swagger.preflights.length > 0)
    t.strictSame(swagger.preflights, [{ headers: asked, status: 204, allowOrigin: origin }])
    await swagger.closeDialog()

    const read = await swagger.tryOut('readNotes')
    t.equal(read.status, 200)
    t.equal(read.authorization, `Bearer ${tokens.access_token}`)
    t.match(read.shown, `"owner": "${user.id}"`)
    t.match(read.shown, '"scope": "notes:read"', 'the default, as none was chosen')
    t.equal((await swagger.tryOut('writeNote')).status, 403)
    const origins = new Set(swagger.requests.map((request) => new URL(request.url()).origin))
    t.strictSame([...origins].sort(), [origin, issuer].sort(), 'nobody else was asked')
  })
}

test('scopes that are chosen are granted; one that the client lacks is said', async (t) => {
  const swagger = await scene.openPage(t)
  await swagger.openDialog()
  await swagger.fillPassword(login)
  for (const scope of spa.scopes) await swagger.chooseScope('password', scope)
  await swagger.chooseScope('password', 'notes:share')
  const refused = await authorize(swagger, 'password')
  t.equal(refused.form.scope, 'notes:read notes:write notes:share')
  t.match(refused.said, /^Error: Bad Request, error: invalid_scope, description: \w/)
  await swagger.chooseScope('password', 'notes:share')
  const granted = await authorize(swagger, 'password')
  t.equal(granted.form.scope, 'notes:read notes:write')
  await swagger.closeDialog()
  t.equal((await swagger.tryOut('writeNote')).status, 200)
})

test('what Lineage says of a wrong password and of a wrong client is shown', async (t) => {
  const swagger = await scene.openPage(t)
  await swagger.openDialog()
  await swagger.fillPassword({ ...login, password: 'not the password' })
  const password = await authorize(swagger, 'password')
  t.equal(
    password.said,
    'Error: Bad Request, error: invalid_grant, description: The username or password is not right.',
  )
  await swagger.fillPassword({ ...login, clientId: 'nobody' })
  const client = await authorize(swagger, 'password')
  t.match(client.said, /^Error: Unauthorized, error: invalid_client, description: \w/)
  await swagger.closeDialog()
  const { status, authorization } = await swagger.tryOut('readNotes')
  t.strictSame({ status, authorization }, { status: 401, authorization: undefined })
})

test('from an origin that no client lists the browser sends nothing but its question', async (t) => {
  const logins = () => service.log('login.succeeded').length
  const before = logins()
  const swagger = await scene.openPage(t, foreignOrigin)
  await swagger.openDialog()
  for (const location of ['basic', 'request-body'] as const) {
    await swagger.fillPassword({ ...login, location })
    t.equal(await swagger.authorize('password'), 'TypeError: Failed to fetch')
  }
  await until('both preflights', () => swagger.preflights.length === 2)
  for (const { allowOrigin } of swagger.preflights) t.equal(allowOrigin, undefined)
  const { username, password } = user
  const own = { grant_type: 'password', client_id: 'spa', username, password }
  t.equal((await service.form('/token', own)).status, 200)
  await until('a login', () => logins() > before)
  t.equal(logins(), before + 1, 'this one, and none of the page')
})

test('a confidential client gets a token of its own', async (t) => {
  const { secret } = await service.makeClient({
    ...spa,
    id: 'job',
    type: 'confidential',
    grantTypes: ['client_credentials'],
  })
  const swagger = await scene.openPage(t)
  await swagger.openDialog()
  await swagger.page.fill('#client_id_clientCredentials', 'job')
  await swagger.page.fill('#client_secret_clientCredentials', secret)
  const { headers } = await authorize(swagger, 'clientCredentials')
  t.equal(headers.authorization, `Basic ${btoa(`job:${secret}`)}`)
  await swagger.closeDialog()
  const { status, shown } = await swagger.tryOut('readNotes')
  t.equal(status, 200)
  t.match(shown, '"client": "job"')
})

test('"Logout" forgets the token, and tells nobody', async (t) => {
  const { swagger, tokens } = await openLoggedIn(t)
  t.equal((await swagger.tryOut('readNotes')).status, 200)
  await swagger.openDialog()
  await swagger.dialog('password').getByText('Logout').click()
  await swagger.page.locator('#oauth_username').waitFor()
  await swagger.closeDialog()
  const { status, authorization } = await swagger.tryOut('readNotes')
  t.strictSame({ status, authorization }, { status: 401, authorization: undefined })
  t.equal(await callApi(tokens.access_token), 200, 'the token is as good as before')
  const posted = swagger.requests.filter((request) => request.method() === 'POST')
  t.strictSame(
    posted.map((request) => request.url()),
    [tokenUrl],
  )
})

test('a page that is loaded anew has forgotten it, or keeps the password where scripts read', async (t) => {
  const { swagger } = await openLoggedIn(t)
  await swagger.page.reload()
  t.equal((await swagger.tryOut('readNotes')).status, 401)
  t.equal(await swagger.page.evaluate(`localStorage.getItem('authorized')`), null)

  const { swagger: persistent } = await openLoggedIn(t, `${origin}/?persist`)
  await persistent.page.reload()
  t.equal((await persistent.tryOut('readNotes')).status, 200)
  const kept = await persistent.page.evaluate<string>(`localStorage.getItem('authorized')`)
  t.equal(JSON.parse(kept).lineage.password, user.password)
})

test('a refresh token is never used: an expired token is a 401', async (t) => {
  await service.makeClient({
    ...spa,
    id: 'refreshing',
    grantTypes: ['password', 'refresh_token'],
    refreshGraceSeconds: 0,
    accessTokenTtlSeconds: 1,
  })
  const swagger = await scene.openPage(t)
  await swagger.openDialog()
  await swagger.fillPassword({ ...login, clientId: 'refreshing' })
  const { tokens } = await authorize(swagger, 'password')
  t.match(tokens.refresh_token, /^lrt_/)
  await swagger.closeDialog()
  const isRefused = async () => (await swagger.tryOut('readNotes')).status === 401
  await until('a token that has expired', isRefused)
  t.equal(await isRefused(), true, 'and stays so')
  t.equal(swagger.requests.filter((request) => request.url() === tokenUrl).length, 1)
})

test('the version in docs/integrations.md is the one that ran', async (t) => {
  const manifest = readFileSync('node_modules/swagger-ui-dist/package.json', 'utf8')
  const line = readTable('Programs').get('swagger-ui-dist')
  t.equal(line?.Version, JSON.parse(manifest).version)
})
