// openapi.yaml and the service say the same, both ways: paths, methods, parameters, bodies, who may,
// codes and the words that there are. What the answers look like: test/http/server/openapi-responses.test.ts.

import diagnostics from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { type Test, test } from 'tap'
import { follow } from '../../scripts/api-page/contract.ts'
import { AUTH_METHODS } from '../../src/client-auth/authentication-methods.ts'
import type { EndedReason } from '../../src/families/family.ts'
import { GRANT_TYPES } from '../../src/grants/grants.ts'
import { API_ERRORS } from '../../src/http/server/api-error.ts'
import { loadApiFiles } from '../../src/http/server/api-files.ts'
import { SIGNING_ALGS } from '../../src/keys/signing-algorithms.ts'
import { OAUTH_ERRORS } from '../../src/oauth/oauth-error.ts'
import { SECURITY_EVENT_TYPES } from '../../src/runtime/security-event.ts'
import { ISSUER, MAIL, startApp, type TestApp } from '../support/app.ts'
import { codesOf, operationsOf, readContract } from '../support/contract.ts'

const CONTRACT = readContract()
const OPERATIONS = operationsOf(CONTRACT)
const ISSUER_PATH = '/tenant/one'

/** What the page loads; it is part of /docs. */
const PARTS_OF_THE_PAGE = ['/docs/style.css', '/docs/icon.svg']

interface Observed {
  readonly app: TestApp
  readonly routes: readonly RouteOptions[]
  /** By route pattern, what was read of the query. */
  readonly queryNames: Map<string, Set<string>>
}

/** A service whose routes are watched from its first hook on. */
async function startObserved(t: Test, issuer = ISSUER): Promise<Observed> {
  const routes: RouteOptions[] = []
  const queryNames = new Map<string, Set<string>>()
  const watch = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('onRoute', (route) => {
      routes.push({ ...route })
    })
    fastify.addHook('preHandler', async (request) => {
      const names = new Set<string>()
      queryNames.set(request.routeOptions.url ?? '', names)
      request.query = new Proxy(request.query as object, {
        get(target, name, receiver) {
          if (typeof name === 'string') names.add(name)
          return Reflect.get(target, name, receiver)
        },
      })
    })
  }
  diagnostics.subscribe('fastify.initialization', watch)
  try {
    const app = await startApp(t, { config: { issuer, registration: 'open', mail: MAIL } })
    return { app, routes, queryNames }
  } finally {
    diagnostics.unsubscribe('fastify.initialization', watch)
  }
}

const toTemplate = (url: string) => url.replace(/:(\w+)/g, '{$1}').replace('*', '{path}')
const ZERO = '00000000-0000-4000-8000-000000000000'
const fill = (path: string) => path.replace(/\{\w+\}/g, ZERO)

/** Whose every method is written down as GET; test/http/verify/verify.test.ts calls them all. */
const isVerify = (path: string) => /\/verify(\/|$)/.test(path)

/** `GET /path/{id}` for everything that is answered, as `Allow` lists it. */
async function listAnswered({ app, routes }: Observed): Promise<string[]> {
  const answered: string[] = []
  for (const path of new Set(routes.map(({ url }) => toTemplate(url)))) {
    const { statusCode, headers } = await app.app.inject({
      method: 'TRACE' as 'GET',
      url: fill(path),
    })
    if (statusCode !== 405) throw new Error(`${path} has no 405`)
    const methods = isVerify(path) ? ['GET'] : String(headers.allow).split(', ')
    answered.push(
      ...methods.filter((method) => method !== 'HEAD').map((method) => `${method} ${path}`),
    )
  }
  return answered.sort()
}

test('the copy that is served is the present contract', async (t) => {
  t.strictSame(
    JSON.parse(loadApiFiles({ issuer: CONTRACT.servers[0]?.url ?? '', mail: MAIL }).contract),
    {
      ...CONTRACT,
      paths: Object.fromEntries(
        Object.entries(CONTRACT.paths).map(([path, item]) => [
          path,
          item.servers
            ? {
                ...item,
                servers: item.servers.map((one) => ({ ...one, url: 'http://localhost:3000' })),
              }
            : item,
        ]),
      ),
    },
    'else: npm run generate',
  )
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string }
  t.equal(CONTRACT.info.version, version)
})

test('every route is in the contract and every operation has a route', async (t) => {
  const documented = OPERATIONS.map(({ method, path }) => `${method} ${path}`)
  const inserted = documented.filter((line) => line.includes('{issuerPath}'))
  const rest = documented.filter((line) => !inserted.includes(line))
  const atRoot = (line: string) => /^GET \/(livez|readyz|metrics)$/.test(line)
  const parts = PARTS_OF_THE_PAGE.map((path) => `GET ${path}`)
  t.strictSame(await listAnswered(await startObserved(t)), [...rest, ...parts].sort())

  const underPath = (line: string) => (atRoot(line) ? line : line.replace(' ', ` ${ISSUER_PATH}`))
  t.strictSame(
    await listAnswered(await startObserved(t, `${ISSUER}${ISSUER_PATH}`)),
    [
      ...[...rest, ...parts].map(underPath),
      // The issuer itself, as it is written.
      `GET ${ISSUER_PATH}`,
      ...inserted.map((line) => line.replace('/{issuerPath}', ISSUER_PATH)),
    ].sort(),
  )
})

test('parameters are those of the paths, and those that are read of the query', async (t) => {
  const { app, queryNames } = await startObserved(t)
  const authorization = `Bearer ${await app.adminToken()}`
  const user = await app.makeUser()
  const client = await app.makeClient({})
  const login = await app.form('/token', {
    grant_type: 'password',
    client_id: client.id,
    username: user.username,
    password: user.password,
  })
  const { access_token } = (await login.json()) as { access_token: string }
  const webhook = await app.admin('POST', '/admin/webhooks', {
    url: 'https://hooks.example.com/',
    events: ['user.created'],
  })
  await app.admin('POST', '/admin/trusted-issuers', {
    ...{ id: 'sample', issuer: 'https://idp.example.test', kind: 'oidc' },
    jwksUri: 'https://idp.example.test/jwks',
  })
  const ids: Record<string, string> = {
    'trusted-issuers': 'sample',
    users: user.id,
    clients: client.id,
    webhooks: ((await webhook.json()) as { id: string }).id,
  }
  for (const { id, method, path, parameters } of OPERATIONS) {
    const names = (place: string) =>
      parameters.filter((parameter) => parameter.in === place).map(({ name }) => name)
    t.strictSame(
      names('path'),
      [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
      id,
    )
    // What /verify reads, and from where, is the matter of test/http/verify/verify-demands.test.ts.
    if (isVerify(path)) continue
    if (method !== 'GET' || path.includes('{issuerPath}')) {
      t.strictSame(names('query'), [], id)
      continue
    }
    const url = path.replace('{id}', ids[path.split('/')[2] ?? ''] ?? '')
    const bearer = path.startsWith('/users') ? `Bearer ${access_token}` : authorization
    const answer = await app.app.inject({ method, url, headers: { authorization: bearer } })
    t.equal(answer.statusCode, 200, id)
    const read = queryNames.get(path.replace(/\{(\w+)\}/g, ':$1')) ?? []
    t.strictSame([...read].sort(), names('query').sort(), `the query of ${id}`)
  }
})

test('bodies have the members that routes check, and no route has an unwritten one', async (t) => {
  const { routes } = await startObserved(t)
  for (const { id, method, path, body } of OPERATIONS) {
    const route = routes.find((one) => toTemplate(one.url) === path && one.method === method)
    const checked = (route?.schema?.body ?? undefined) as
      | { properties: object; required?: readonly string[] }
      | undefined
    const isForm = body !== undefined && 'application/x-www-form-urlencoded' in body
    t.equal(body !== undefined && !isForm, checked !== undefined, `${id} takes JSON`)
    t.equal(isForm, route?.config?.oauth === true, `${id} takes a form`)
    for (const { schema } of checked ? Object.values(body ?? {}) : []) {
      const { properties = {}, required = [], ...rest } = follow(CONTRACT, schema)
      t.strictSame(
        Object.keys(properties).sort(),
        Object.keys(checked?.properties ?? {}).sort(),
        id,
      )
      t.strictSame([...required].sort(), [...(checked?.required ?? [])].sort(), id)
      t.match(rest, { additionalProperties: false }, id)
    }
  }
})

test('a token is needed exactly where the contract says so', async (t) => {
  const { app } = await startObserved(t)
  for (const { id, method, path, operation } of OPERATIONS) {
    if (path.includes('{issuerPath}')) continue
    const { statusCode } = await app.app.inject({ method: method as 'GET', url: fill(path) })
    const wantsToken = operation.security.some((demand) =>
      /bearer/i.test(Object.keys(demand).join()),
    )
    t.equal(statusCode === 401, wantsToken, id)
    const isAdmin = path.startsWith('/admin/')
    const scopes = operation.security.flatMap((demand) => demand.bearer ?? [])
    t.strictSame(scopes, isAdmin ? ['lineage:admin'] : [], id)
  }
})

/** Said in the introduction, because any path may. */
const SAID_ONCE = ['method_not_allowed']

test('every code is listed and shown, with the status and words it has', async (t) => {
  const { OAuthError, Problem } = CONTRACT.components.schemas
  const enumOf = (schema: typeof Problem, member: string) =>
    schema?.properties?.[member] && follow(CONTRACT, schema.properties[member]).enum
  t.strictSame(enumOf(Problem, 'code'), Object.keys(API_ERRORS))
  const oauthCodes = new Set<string>(Object.values(OAUTH_ERRORS).map(({ code }) => code))
  t.strictSame([...(enumOf(OAuthError, 'error') ?? [])].sort(), [...oauthCodes].sort())

  const shown = new Set<string>()
  for (const { id, path, answers } of OPERATIONS) {
    const isOAuth = ['/token', '/revoke', '/introspect'].includes(path)
    for (const [status, answer] of Object.entries(answers)) {
      if (/^[23]/.test(status) || path === '/readyz') continue
      const expected = status === 'default' ? 500 : Number(status)
      const codes = codesOf(CONTRACT, answer)
      t.not(codes.length, 0, `${id} ${status} shows a code`)
      for (const code of codes) {
        shown.add(isOAuth ? `oauth ${code}` : code)
        const isReal = isOAuth
          ? Object.values(OAUTH_ERRORS).some((row) => row.code === code && row.status === expected)
          : API_ERRORS[code as keyof typeof API_ERRORS]?.status === expected ||
            (code === 'temporarily_unavailable' && expected === OAUTH_ERRORS.throttled.status)
        t.ok(isReal, `${id} ${status} ${code}`)
      }
    }
  }
  const known = [...Object.keys(API_ERRORS), ...[...oauthCodes].map((code) => `oauth ${code}`)]
  t.strictSame([...shown].sort(), known.filter((code) => !SAID_ONCE.includes(code)).sort())
})

// The compiler holds these to the types, and the test the contract to these.
const ENDED_REASONS: Record<EndedReason, true> = {
  reuse_detected: true,
  revoked_by_client: true,
  revoked_by_user: true,
  revoked_by_admin: true,
  password_changed: true,
  user_disabled: true,
  logged_out_everywhere: true,
  client_sessions_ended: true,
  session_limit: true,
  idle_expired: true,
  absolute_expired: true,
}

test('the words of an enumeration are those of the code', async (t) => {
  const { schemas } = CONTRACT.components
  t.strictSame(schemas.EventType?.enum, SECURITY_EVENT_TYPES)
  t.strictSame(schemas.GrantType?.enum, GRANT_TYPES)
  t.strictSame(schemas.AuthMethod?.enum, AUTH_METHODS)
  t.strictSame(schemas.SigningAlg?.enum, SIGNING_ALGS)
  const { endedReason } = schemas.Session?.properties ?? {}
  t.strictSame(endedReason && follow(CONTRACT, endedReason).enum, Object.keys(ENDED_REASONS))
})

test('everything that is sent and answered has an example', async (t) => {
  for (const { id, body, answers } of OPERATIONS) {
    const examples = (content: object = {}) =>
      Object.values(content).flatMap((media) =>
        Object.values((media as { examples?: object }).examples ?? {}),
      )
    if (body) t.not(examples(body).length, 0, `${id} shows what to send`)
    for (const [status, { content }] of Object.entries(answers)) {
      if (!content || ['getContract', 'getDocumentation'].includes(id)) continue
      t.not(examples(content).length, 0, `${id} ${status}`)
    }
  }
})
