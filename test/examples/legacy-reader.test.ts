// The two APIs of examples/ that read one algorithm each, and the service that calls both, beside one
// Lineage (docs/semantics.md §1).

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Test, test } from 'tap'
import { issueToken } from '../scenes/bad-tokens.ts'
import { startScene } from '../scenes/integration-scene.ts'
import { EXAMPLES, startExample } from './example-process.ts'

const run = promisify(execFile)
const OLD = 'https://old-api.example'
const NEW = 'https://new-api.example'
const SERVICE = {
  type: 'confidential',
  grantTypes: ['client_credentials'],
  audiences: [NEW, OLD],
} as const

interface Caller {
  readonly id: string
  readonly secret: string
}

async function runClient(t: Test, { id, secret }: Caller, env: Record<string, string>) {
  const secretFile = join(t.testdir({}), 'secret')
  writeFileSync(secretFile, `${secret}\n`)
  const program = [process.execPath, join(EXAMPLES, 'legacy-reader/client.mjs')]
  // tap would load itself into every Node child.
  const { stdout } = await run('env', ['-u', 'NODE_OPTIONS', ...program], {
    env: { PATH: process.env.PATH, CLIENT_ID: id, CLIENT_SECRET_FILE: secretFile, ...env },
  })
  return JSON.parse(stdout) as unknown
}

test('each API is sent the algorithm that it reads, and takes no other', async (t) => {
  const config = { signingAlgs: ['ES256', 'RS256'] } as const
  const audienceSigningAlgs = new Map([[OLD, 'RS256']] as const)
  const scene = await startScene(t, { config: { ...config, audienceSigningAlgs } })
  const { issuer } = scene
  const startApi = (name: string) =>
    startExample(t, `legacy-reader/${name}-api.mjs`, { ISSUER: issuer })
  const [caller, oldApi, newApi] = await Promise.all([
    scene.makeClient(SERVICE),
    startApi('old'),
    startApi('new'),
  ])
  const seen = await runClient(t, caller, { ISSUER: issuer, OLD_API: oldApi, NEW_API: newApi })
  t.strictSame(seen, { old: 'RS256 200', new: 'ES256 200' })

  const ask = async (api: string, token: string) => {
    const answer = await fetch(api, { headers: { authorization: `Bearer ${token}` } })
    const { owner = 'nobody' } = (await answer.json()) as { owner?: string }
    return `${answer.status} ${owner}`
  }
  const forBoth = await issueToken(scene, caller, [NEW, OLD])
  t.equal(await ask(oldApi, forBoth), `200 ${caller.id}`)
  t.equal(await ask(newApi, forBoth), '401 nobody', 'a token for both has one algorithm')
  t.equal(await ask(oldApi, await issueToken(scene, caller, [NEW])), '401 nobody')

  // Another instance, where no audience is named.
  const plain = await startScene(t, { beside: scene, issuer, config })
  t.equal(await ask(oldApi, await issueToken(plain, caller, [OLD])), '401 nobody')
  const choosing = await plain.makeClient({ ...SERVICE, signingAlg: 'RS256' })
  t.equal(await ask(oldApi, await issueToken(plain, choosing, [OLD])), `200 ${choosing.id}`)
})
