// `npm run bench:processes`: one login that many processes share by a file, at Lineage with each of its
// settings and at oidc-provider, and a thief with a copy of the file. Writes docs/many-processes.md.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import { openScope } from '../../test/support/scope.ts'
import { fillBlocks, toTable } from '../report/markdown.ts'
import { type Shared, shareLogin } from './share-login.ts'
import { startLineageService, startOidcProvider } from './token-services.ts'

const DOCUMENT = join(import.meta.dirname, '../../docs/many-processes.md')
const PROCESSES = Number(process.env.BENCH_PROCESSES ?? 50)
const USES_EACH = Number(process.env.BENCH_USES ?? 20)

/** Far longer than a use takes on a busy machine; a sample rotates nothing. */
const ROTATE_AFTER_SECONDS = Number(process.env.BENCH_ROTATE_AFTER ?? 10)
const YOUNG = { refreshRotateAfterSeconds: ROTATE_AFTER_SECONDS }
const SHARED_TOKENS = ROTATE_AFTER_SECONDS > 60 ? 1 : 3

const PUBLIC = { type: 'public', grantTypes: ['password', 'refresh_token'] } as const
const SECRET = { ...PUBLIC, type: 'confidential' } as const
const BOUND = { ...PUBLIC, dpopBoundAccessTokens: true } as const
const NEVER = { refreshRotation: 'never' } as const
const AFTER = `rotated after ${ROTATE_AFTER_SECONDS} s`

interface Scenario {
  readonly name: string
  readonly service: 'lineage' | 'oidc-provider'
  readonly settings: Partial<ClientInput>
  /** How many refresh tokens the processes are to be given. */
  readonly tokens: number
}

const lineage = (name: string, settings: Partial<ClientInput>, tokens: number): Scenario => ({
  name,
  service: 'lineage',
  settings,
  tokens,
})

const SCENARIOS: readonly Scenario[] = [
  lineage('`never`, public with DPoP', { ...BOUND, ...NEVER }, 1),
  lineage('`never`, with a secret', { ...SECRET, ...NEVER }, 1),
  lineage(`${AFTER}, public with DPoP`, { ...BOUND, ...YOUNG }, SHARED_TOKENS),
  lineage(`${AFTER}, with a secret`, { ...SECRET, ...YOUNG }, SHARED_TOKENS),
  lineage(`${AFTER}, public, nothing bound`, { ...PUBLIC, ...YOUNG }, SHARED_TOKENS),
  lineage('`always`, public, a grace of 300 s', PUBLIC, 3),
  lineage('`always`, public, no grace', { ...PUBLIC, refreshGraceSeconds: 0 }, 3),
  { name: 'oidc-provider, public', service: 'oidc-provider', settings: {}, tokens: 3 },
]

/** What became of the login, by the name of the scenario. */
export type SharingResults = Readonly<Record<string, Shared & Pick<Scenario, 'service'>>>

async function main(): Promise<void> {
  const scope = openScope()
  const results: Record<string, SharingResults[string]> = {}
  try {
    const services = {
      lineage: await startLineageService(scope),
      'oidc-provider': await startOidcProvider(scope),
    }
    for (const { name, service, settings, tokens } of SCENARIOS) {
      const login = await services[service](settings)
      const sharing = { processes: PROCESSES, usesEach: USES_EACH, tokens }
      results[name] = { service, ...(await shareLogin(scope, login, sharing)) }
      console.log(name, results[name])
    }
  } finally {
    await scope.close()
  }
  const path = process.env.BENCH_RESULTS
  if (path) writeFileSync(path, JSON.stringify(results))
  else writeDocument(results)
}

function writeDocument(results: SharingResults): void {
  const head = [
    'Client',
    'Uses',
    'Refresh tokens',
    'Lost the login',
    'At once',
    'Later',
    'Owner then',
  ]
  const rows = Object.entries(results).map(([name, shared]) => [
    name,
    String(shared.uses),
    String(shared.tokens),
    `${shared.lostBefore + shared.lostAfter} of ${PROCESSES}`,
    shared.thiefAtOnce,
    shared.thiefLater,
    shared.ownerAfter,
  ])
  const blocks = { sharing: toTable(head, rows) }
  writeFileSync(DOCUMENT, fillBlocks(readFileSync(DOCUMENT, 'utf8'), blocks))
}

await main()
