// The configurations that no Debian package can run: Envoy and Traefik. They are read as data, and
// what they would ask is asked of a running Lineage. Whether the gateways read them alike, this
// does not show.

import { type Test, test } from 'tap'
import { APP_ORIGIN, type Scene, startScene } from '../scenes/gateway-scene.ts'
import {
  askLineage,
  checkAnswers,
  checkPathPattern,
  find,
  type Question,
  readExample,
  toRegExp,
} from './gateways/documents.ts'

interface EnvoyFilter {
  readonly name: string
  readonly typed_config: {
    readonly failure_mode_allow?: boolean
    readonly status_on_error?: { readonly code: string }
    readonly http_service?: {
      readonly path_prefix: string
      readonly authorization_request: {
        readonly headers_to_add: readonly { readonly key: string; readonly value: string }[]
      }
      readonly authorization_response: {
        readonly allowed_upstream_headers: {
          readonly patterns: readonly { readonly exact: string }[]
        }
      }
    }
  }
}

interface EnvoyRoute {
  readonly match: Readonly<Record<string, unknown>>
  readonly route?: { readonly cluster: string }
  readonly direct_response?: { readonly status: number }
  readonly typed_per_filter_config: Readonly<Record<string, { readonly disabled?: boolean }>>
}

interface TraefikRouter {
  readonly rule: string
  readonly middlewares: readonly string[]
}

interface ForwardAuth {
  readonly address: string
  readonly trustForwardHeader: boolean
  readonly authResponseHeaders: readonly string[]
}

const MANAGER = [
  'static_resources',
  'listeners',
  0,
  'filter_chains',
  0,
  'filters',
  0,
  'typed_config',
]
const ROUTES = [...MANAGER, 'route_config', 'virtual_hosts', 0, 'routes']

/** The filters that put a request to Lineage on this route: all that it does not disable. */
function askingOn(
  { typed_per_filter_config: own }: EnvoyRoute,
  filters: readonly EnvoyFilter[],
): readonly EnvoyFilter[] {
  const asking = filters.filter(({ typed_config: config }) => config.http_service)
  return asking.filter(({ name }) => own[name]?.disabled !== true)
}

function envoyQuestion({ typed_config: { http_service: service } }: EnvoyFilter): Question {
  const added = service?.authorization_request.headers_to_add ?? []
  return {
    path: `${service?.path_prefix}/notes/1?of=it`,
    headers: Object.fromEntries(added.map(({ key, value }) => [key, value])),
  }
}

test('what Envoy asks of Lineage on each route', async (t) => {
  const scene = await startScene(t)
  const { issuer } = scene.addresses
  const document = readExample('envoy/envoy.yaml', issuer)
  const filters = find(document, ...MANAGER, 'http_filters') as EnvoyFilter[]
  const names = filters.map(({ name }) => name)
  t.strictSame(names, ['own-names', 'verify-notes', 'verify-drafts', 'router'])
  const routes = (find(document, ...ROUTES) as EnvoyRoute[]).filter(({ route }) => route)
  const asking = routes.map((route) => askingOn(route, filters))
  const demand = (scope: string): Question => ({
    path: '/verify/notes/1?of=it',
    headers: { 'X-Auth-Require-Scope': scope, 'X-Auth-Require-Audience': issuer },
  })
  t.strictSame(
    routes.map(({ match }, place) => [match, asking[place]?.map(envoyQuestion)]),
    [
      [{ prefix: '/notes/' }, [demand('notes:read')]],
      [{ prefix: '/drafts/' }, [demand('notes:write')]],
    ],
  )
  const [notes, drafts] = asking.flat().map(envoyQuestion)
  if (!notes || !drafts) throw new Error('two filters ask')
  const said = await checkAnswers(t, scene, { notes, drafts })
  for (const { typed_config: config } of asking.flat()) {
    t.equal(config.failure_mode_allow, false)
    t.equal(config.status_on_error?.code, 'ServiceUnavailable')
    const { patterns = [] } =
      config.http_service?.authorization_response.allowed_upstream_headers ?? {}
    t.strictSame(patterns.map(({ exact }) => exact).sort(), said, 'all of them, nothing else')
  }
})

test('Envoy is told of one reading of a path and of one origin of X-Auth headers', async (t) => {
  const document = readExample('envoy/envoy.yaml')
  t.match(find(document, ...MANAGER), {
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: 'REJECT_REQUEST',
    common_http_protocol_options: { headers_with_underscores_action: 'DROP_HEADER' },
  })
  const filters = find(document, ...MANAGER, 'http_filters') as EnvoyFilter[]
  const [refusing] = find(document, ...ROUTES) as EnvoyRoute[]
  if (!refusing) throw new Error('no route')
  t.equal(refusing.direct_response?.status, 400, 'before any route that lets in')
  t.strictSame(askingOn(refusing, filters), [], 'Lineage is not asked')
  checkPathPattern(t, toRegExp(String(find(refusing, 'match', 'safe_regex', 'regex')), true))

  const removal = ['typed_config', 'mutations', 'request_mutations', 0, 'remove_on_match']
  const source = find(filters[0], ...removal, 'key_matcher', 'safe_regex', 'regex')
  const pattern = toRegExp(String(source), true)
  // In lower case, as Envoy has them.
  for (const name of ['x-auth-subject', 'x.auth.subject', 'x~auth~roles', 'x-auth_client']) {
    t.match(name, pattern, `${name} is removed`)
  }
  checkCertificateNames(t, filters[0])
  for (const name of ['authorization', ':path', 'x-authority']) t.notMatch(name, pattern)
})

function checkCertificateNames(t: Test, filter: EnvoyFilter | undefined): void {
  const removal = ['typed_config', 'mutations', 'request_mutations', 1, 'remove_on_match']
  const source = find(filter, ...removal, 'key_matcher', 'safe_regex', 'regex')
  const pattern = toRegExp(String(source), true)
  for (const name of ['client-cert', 'client-cert-chain', 'client.cert']) {
    t.match(name, pattern, `${name} is removed`)
  }
  for (const name of ['client-certificate', 'x-client-cert']) t.notMatch(name, pattern)
}

function traefikQuestion({ address }: ForwardAuth): Question {
  const { pathname, search } = new URL(address)
  return { path: `${pathname}${search}`, headers: { 'X-Forwarded-Method': 'GET' } }
}

/** The router of that name, and the middleware that asks, before which one removes headers. */
function readRouter(document: unknown, name: string) {
  const router = find(document, 'http', 'routers', name) as TraefikRouter
  const [first, middleware = '', ...others] = router.middlewares
  if (first !== 'own-names' || others.length > 0) throw new Error(`other middlewares of ${name}`)
  const auth = find(document, 'http', 'middlewares', middleware, 'forwardAuth') as ForwardAuth
  return { matchers: router.rule.split(' && '), auth, question: traefikQuestion(auth) }
}

test('what Traefik asks of Lineage on each route', async (t) => {
  const scene = await startScene(t)
  const { issuer } = scene.addresses
  const document = readExample('traefik/dynamic.yaml', issuer)
  const routers = Object.keys(find(document, 'http', 'routers') as object)
  t.strictSame(routers, ['notes', 'drafts', 'app'])
  const demands = {
    notes: `/verify?scope=notes:read&audience=${issuer}`,
    drafts: `/verify?scope=notes:write&audience=${issuer}`,
    app: `/verify?scope=notes:read&audience=${issuer}&cookie=1`,
  }
  const asked = {
    notes: readRouter(document, 'notes').question,
    drafts: readRouter(document, 'drafts').question,
    app: readRouter(document, 'app').question,
  }
  for (const [name, question] of Object.entries(asked)) {
    t.equal(question.path, demands[name as keyof typeof demands], name)
  }
  const said = await checkAnswers(t, scene, asked)
  await checkAnswers(t, scene, { ...asked, notes: asked.app })
  for (const name of routers) {
    const { authResponseHeaders, trustForwardHeader } = readRouter(document, name).auth
    t.strictSame(authResponseHeaders.map((header) => header.toLowerCase()).sort(), said)
    t.equal(trustForwardHeader, false)
  }
  await checkCookie(t, scene, asked)
})

/** Why Traefik may let no handshake through: without `Upgrade` Lineage sees a GET like others. */
async function checkCookie(
  t: Test,
  scene: Scene,
  { notes, app }: Readonly<Record<'notes' | 'app', Question>>,
): Promise<void> {
  const { username, password } = scene.user
  const login = { grant_type: 'password', client_id: scene.clients.browser.id, username, password }
  const answer = await scene.lineage.form('/token', login, { origin: APP_ORIGIN })
  const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0])
  const cookie = cookies.find((one) => one?.startsWith('lineage_access-')) ?? ''
  const foreign = { cookie, origin: 'https://elsewhere.example.test' }
  t.equal((await askLineage(scene, notes, foreign)).status, 401)
  t.equal((await askLineage(scene, app, foreign)).status, 200)
}

test('Traefik is told of one reading of a path and of no WebSocket with a cookie', async (t) => {
  const document = readExample('traefik/dynamic.yaml')
  for (const name of ['notes', 'drafts', 'app']) {
    const [prefix, path = '', ...others] = readRouter(document, name).matchers
    t.equal(prefix, `PathPrefix(\`/${name}/\`)`)
    const [, source = ''] = /^!PathRegexp\(`([^`]+)`\)$/.exec(path) ?? []
    checkPathPattern(t, toRegExp(source, false))
    t.strictSame(others, name === 'app' ? ['!HeaderRegexp(`Upgrade`, `.+`)'] : [])
  }
  // Empty, which removes them.
  const own = find(document, 'http', 'middlewares', 'own-names', 'headers', 'customRequestHeaders')
  t.strictSame(own, { 'Client-Cert': '', 'Client-Cert-Chain': '' })
  t.match(find(readExample('traefik/traefik.yaml'), 'entryPoints', 'web', 'http'), {
    aliasHeadersStrategy: 'delete',
    sanitizePath: true,
    encodedCharacters: {
      allowEncodedSlash: false,
      allowEncodedBackSlash: false,
      allowEncodedNullCharacter: false,
      allowEncodedSemicolon: false,
    },
  })
})
