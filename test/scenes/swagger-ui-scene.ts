// An API of notes with Swagger UI as its page, beside a real Lineage on another origin and a real
// Chromium.

import { readFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener } from 'node:http'
import { extname, join } from 'node:path'
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'
import type { Test } from 'tap'
import { parse } from 'yaml'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { openSwaggerPage, type SwaggerPage } from '../interop/swagger-ui-dialog.ts'
import { fillIn, readBlocks } from '../support/documented.ts'
import { type LineageProcess, serverEnvironment, startLineage } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { servePages, startChromium } from './browser-scene.ts'

/** As in the client of the document. */
const AUDIENCE = 'https://notes.example.com'

const DIST = join(import.meta.dirname, '../../node_modules/swagger-ui-dist')
const FILES = ['index.html', 'index.css', 'swagger-ui.css', 'swagger-ui-bundle.js']
const MORE_FILES = ['swagger-ui-standalone-preset.js', 'favicon-32x32.png', 'favicon-16x16.png']

const MEDIA_TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.png': 'image/png',
}

/** The one file of the package that an API writes itself. */
const INITIALIZER = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  persistAuthorization: location.search === '?persist',
})`

export interface SwaggerScene {
  readonly service: LineageProcess
  readonly issuer: string
  /** Where the page is. */
  readonly origin: string
  /** The same server by another name. */
  readonly foreignOrigin: string
  /** The page in a browser profile of its own. */
  openPage(t: Test, url?: string): Promise<SwaggerPage>
}

/** `t` is the file: everything lives until its end. */
export async function openSwaggerScene(t: Test): Promise<SwaggerScene> {
  const { url: databaseUrl } = await openTestDatabase(t)
  const port = await findFreePort()
  const issuer = `http://localhost:${port}`
  const service = await startLineage(t, {
    ...serverEnvironment(databaseUrl),
    PORT: String(port),
    LINEAGE_ISSUER: issuer,
  })
  const pagePort = await servePages(t, serveApi(issuer))
  const browser = await startChromium(t)
  const origin = `http://localhost:${pagePort}`
  return {
    service,
    issuer,
    origin,
    foreignOrigin: `http://127.0.0.1:${pagePort}`,
    async openPage(test, url = origin) {
      const context = await browser.newContext()
      test.teardown(() => context.close())
      return await openSwaggerPage(context, url)
    },
  }
}

/** The files of Swagger UI, the document, and the API that the document is about. */
function serveApi(issuer: string): RequestListener {
  const judge = openNotes(issuer)
  const files = new Map<string, string | Buffer>(
    [...FILES, ...MORE_FILES].map((name) => [`/${name}`, readFileSync(join(DIST, name))]),
  )
  files.set('/swagger-initializer.js', INITIALIZER)
  files.set('/openapi.json', JSON.stringify(describeNotes(issuer)))
  return async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://api')
    if (pathname === '/notes') {
      const [status, body] = await judge(request)
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      return
    }
    const path = pathname === '/' ? '/index.html' : pathname
    const mediaType = MEDIA_TYPES[extname(path)] ?? 'text/plain'
    const content = files.get(path)
    response.writeHead(content ? 200 : 404, { 'content-type': mediaType }).end(content)
  }
}

/** `GET /notes` for whoever has `notes:read`, `POST /notes` for `notes:write`. */
function openNotes(issuer: string): (request: IncomingMessage) => Promise<[number, object]> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
  const expected = { issuer, audience: AUDIENCE, typ: 'at+jwt' }
  return async (request) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    let claims: JWTPayload
    try {
      claims = (await jwtVerify(token, keys, expected)).payload
    } catch {
      return [401, { error: 'no valid access token' }]
    }
    const needed = request.method === 'POST' ? 'notes:write' : 'notes:read'
    return String(claims.scope).split(' ').includes(needed)
      ? [200, { owner: claims.sub, client: claims.client_id, scope: claims.scope }]
      : [403, { error: 'insufficient scope' }]
  }
}

/** The scheme is that of the document, with one more scope and one more flow. */
function describeNotes(issuer: string): object {
  const [scheme = ''] = readBlocks('Swagger UI', 'yaml')
  const { lineage } = parse(fillIn(scheme, { 'https://auth.example.com': issuer }))
  const { password } = lineage.flows
  password.scopes['notes:share'] = 'Share notes'
  lineage.flows.clientCredentials = password
  const operation = (operationId: string, scope: string) => ({
    operationId,
    security: [{ lineage: [scope] }],
    responses: { 200: { description: 'Notes' } },
  })
  return {
    openapi: '3.1.0',
    info: { title: 'Notes', version: '1' },
    paths: {
      '/notes': {
        get: operation('readNotes', 'notes:read'),
        post: operation('writeNote', 'notes:write'),
      },
    },
    components: { securitySchemes: { lineage } },
  }
}
