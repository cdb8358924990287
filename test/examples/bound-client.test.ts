// The client of examples/ with a key: its token is good with its proofs, and for nobody else.

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'
import { startScene } from '../scenes/integration-scene.ts'
import { EXAMPLES } from './example-process.ts'

const run = promisify(execFile)

for (const dpopNonce of ['off', 'token', 'all'] as const) {
  test(`a token that is bound to a key is of no use without it, nonces: ${dpopNonce}`, async (t) => {
    const scene = await startScene(t, { config: { dpopNonce } })
    const client = await scene.makeClient({
      type: 'confidential',
      grantTypes: ['client_credentials'],
      dpopBoundAccessTokens: true,
    })
    const file = join(t.testdir({}), 'secret')
    writeFileSync(file, `${client.secret}\n`)
    const script = join(EXAMPLES, 'bound-client/client.mjs')
    // tap would load itself into every Node child.
    const { stdout } = await run('env', ['-u', 'NODE_OPTIONS', process.execPath, script], {
      env: {
        PATH: process.env.PATH,
        ISSUER: scene.issuer,
        CLIENT_ID: client.id,
        CLIENT_SECRET_FILE: file,
      },
    })
    t.strictSame(JSON.parse(stdout), { type: 'DPoP', proven: 200, stolen: 401 })
  })
}
