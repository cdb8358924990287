// The configurations that no Debian package can run: Envoy and Traefik. They are read as data, and
// what they would ask is asked of a running Lineage.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { parse } from 'yaml'
import { identityOf } from './gateways/checks.ts'
import { EXAMPLES } from './gateways/gateway-process.ts'
import { type Scene, startScene } from './gateways/scene.ts'
import { makeTokens, type Tokens } from './gateways/tokens.ts'

interface Question {
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
}

interface EnvoyFilter {
  readonly name: string
  readonly typed_config: {
    readonly providers?: { readonly lineage: EnvoyProvider }
    readonly failure_mode_allow?: boolean
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

interface EnvoyProvider {
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly remote_jwks: { readonly http_uri: { readonly uri: string } }
}

interface ForwardAuth {
  readonly address: string
  readonly trustForwardHeader: boolean
  readonly authResponseHeaders: readonly string[]
}

/** Without merges, which not every reader of YAML knows. */
function readExample(name: string, issuer: string): unknown {
  const text = readFileSync(join(EXAMPLES, name), 'utf8')
  return parse(text.replaceAll('http://localhost:3000', issuer))
}

/** The node at `path` of a document, which must be there. */
function find(document: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((node, key) => {
    const next = (node as Record<string | number, unknown>)[key]
    if (next === undefined) throw new Error(`nothing at ${path.join('.')}`)
    return next
  }, document)
}

async function askLineage({ lineage }: Scene, question: Question, token: string) {
  const authorization = `Bearer ${token}`
  const headers = { authorization, ...question.headers }
  return await lineage.fetch(question.path, { headers })
}

async function checkQuestions(
  t: Test,
  scene: Scene,
  tokens: Tokens,
  questions: Readonly<Record<'notes' | 'drafts', Question>>,
): Promise<readonly string[]> {
  const { access_token: token } = tokens.user
  const { notes, drafts } = questions
  const admitted = await askLineage(scene, notes, token)
  t.equal(admitted.status, 200)
  const said = [...admitted.headers].filter(([name]) => name.startsWith('x-auth-')).sort()
  t.strictSame(said, identityOf(token))
  t.equal((await askLineage(scene, notes, tokens.scopeless)).status, 403)
  t.equal((await askLineage(scene, drafts, token)).status, 403)
  const elsewhere = tokens.bad['for another audience'] ?? ''
  t.equal((await askLineage(scene, notes, elsewhere)).status, 401)
  return said.map(([name]) => name)
}

test('what Envoy is told of Lineage is so', async (t) => {
  const scene = await startScene(t)
  const tokens = await makeTokens(t, scene)
  const { issuer } = scene.addresses
  const document = readExample('envoy/envoy.yaml', issuer)
  const chain = ['static_resources', 'listeners', 0, 'filter_chains', 0, 'filters', 0]
  const filters = find(document, ...chain, 'typed_config', 'http_filters') as EnvoyFilter[]
  t.strictSame(
    filters.map(({ name }) => name),
    ['jwt', 'verify-notes', 'verify-drafts', 'router'],
  )
  const [jwt, ...verifying] = filters.slice(0, 3)
  const provider = jwt?.typed_config.providers?.lineage
  t.match(provider, { issuer, audiences: [issuer] })
  const keys = new URL(provider?.remote_jwks.http_uri.uri ?? '').pathname
  t.equal((await scene.lineage.fetch(keys)).status, 200)

  const [notes, drafts] = verifying.map(({ typed_config: config }): Question => {
    const added = config.http_service?.authorization_request.headers_to_add ?? []
    t.equal(config.failure_mode_allow, false)
    return {
      path: `${config.http_service?.path_prefix}/notes/1?of=it`,
      headers: Object.fromEntries(added.map(({ key, value }) => [key, value])),
    }
  })
  if (!notes || !drafts) throw new Error('two filters ask')
  const said = await checkQuestions(t, scene, tokens, { notes, drafts })
  for (const { typed_config: config } of verifying) {
    const { patterns = [] } =
      config.http_service?.authorization_response.allowed_upstream_headers ?? {}
    t.strictSame(patterns.map(({ exact }) => exact).sort(), said, 'all of them, nothing else')
  }
  const routes = find(
    document,
    ...[...chain, 'typed_config', 'route_config', 'virtual_hosts', 0, 'routes'],
  ) as { match: { prefix: string }; typed_per_filter_config: Record<string, unknown> }[]
  t.strictSame(
    routes.map((route) => [route.match.prefix, Object.keys(route.typed_per_filter_config)]),
    [
      ['/notes/', ['verify-drafts']],
      ['/drafts/', ['verify-notes']],
    ],
    'each route disables the other demand and not its own',
  )
})

test('what Traefik is told of Lineage is so', async (t) => {
  const scene = await startScene(t)
  const tokens = await makeTokens(t, scene)
  const document = readExample('traefik/dynamic.yaml', scene.addresses.issuer)
  const read = (name: string) =>
    find(document, 'http', 'middlewares', `verify-${name}`, 'forwardAuth') as ForwardAuth
  const question = (name: string): Question => {
    const { pathname, search } = new URL(read(name).address)
    return { path: `${pathname}${search}` }
  }
  const questions = { notes: question('notes'), drafts: question('drafts') }
  const said = await checkQuestions(t, scene, tokens, questions)
  await checkQuestions(t, scene, tokens, { ...questions, notes: question('app') })
  for (const name of ['notes', 'drafts', 'app']) {
    const { authResponseHeaders, trustForwardHeader } = read(name)
    t.strictSame(authResponseHeaders.map((header) => header.toLowerCase()).sort(), said)
    t.equal(trustForwardHeader, false)
    const router = find(document, 'http', 'routers', name) as Record<string, unknown>
    t.match(router, {
      rule: `PathPrefix(\`/${name}/\`)`,
      middlewares: ['no-underscores', `verify-${name}`],
    })
  }
})
