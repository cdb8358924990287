// The command line of examples/ whose processes share one login, started several times at once beside a real
// Lineage: with both settings nobody loses it, and whoever copies it has nothing (docs/semantics.md §3).

import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Test, test } from 'tap'
import { generateDpopKey } from '../../packages/client/src/dpop-prover.ts'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import { type Scene, startScene } from '../scenes/integration-scene.ts'
import { EXAMPLES } from './example-process.ts'

const AT_ONCE = 4
const ROTATE_AFTER_SECONDS = 30

async function openLogin(t: Test, scene: Scene, settings: Partial<ClientInput>) {
  const client = await scene.makeClient({ dpopBoundAccessTokens: true, ...settings })
  const user = await scene.makeUser()
  const home = join(t.testdir({}), 'agent')

  async function run(args: readonly string[], { agentHome = home, input = '' } = {}) {
    const program = [process.execPath, join(EXAMPLES, 'shared-login/agent.mjs'), ...args]
    const own = { ISSUER: scene.issuer, CLIENT_ID: client.id, AGENT_HOME: agentHome }
    // tap would load itself into every Node child.
    const child = spawn('env', ['-u', 'NODE_OPTIONS', ...program], {
      env: { PATH: process.env.PATH, ...own },
    })
    child.stdin.end(input)
    const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)])
    return error.trim() || out.trim()
  }

  /** What those said that began at once. */
  async function getAtOnce() {
    const get = async () => {
      const said = await run(['get'])
      return said.startsWith('{') ? (JSON.parse(said) as { id: string }).id : said
    }
    return [...new Set(await Promise.all(Array.from({ length: AT_ONCE }, get)))]
  }

  async function session() {
    const answer = await scene.admin('GET', `/admin/users/${user.id}/sessions`)
    const { items } = (await answer.json()) as { items: { generation: number; status: string }[] }
    return items.map(({ status, generation }) => `${status} ${generation}`).join()
  }

  t.equal(await run(['login', user.username], { input: `${user.password}\n` }), '')
  return { user, home, file: join(home, 'login.json'), run, getAtOnce, session }
}

test('processes that begin at once share a login of', async (t) => {
  let nowMs = () => Date.now()
  const scene = await startScene(t, { config: { dpopNonce: 'token' }, clock: () => nowMs() })

  await t.test(
    'a token that is never rotated, which is of no use to whoever copies it',
    async (t) => {
      const settings = { refreshRotation: 'never', refreshGraceSeconds: 0 } as const
      const { user, home, file, run, getAtOnce, session } = await openLogin(t, scene, settings)
      for (const path of [file, join(home, 'key.json')]) t.equal(statSync(path).mode & 0o777, 0o600)
      const before = readFileSync(file, 'utf8')
      t.strictSame(Object.keys(JSON.parse(before)), ['refreshToken'], 'each has to refresh')
      t.strictSame(await getAtOnce(), [user.id])
      t.equal(await session(), 'active 0')
      t.equal(readFileSync(file, 'utf8'), before)

      const thief = join(home, 'thief')
      mkdirSync(thief)
      copyFileSync(file, join(thief, 'login.json'))
      writeFileSync(join(thief, 'key.json'), JSON.stringify(await generateDpopKey()))
      t.equal(await run(['get'], { agentHome: thief }), 'nobody is logged in')
      t.match(await run(['get']), user.id, 'the owner goes on')

      t.equal(await run(['logout']), '')
      t.match(await session(), /^ended/)
      t.equal(await run(['get']), 'nobody is logged in')
    },
  )

  await t.test('one that is rotated when it is old, and all go on with the next one', async (t) => {
    const settings = { refreshRotateAfterSeconds: ROTATE_AFTER_SECONDS }
    const { user, file, run, getAtOnce, session } = await openLogin(t, scene, settings)
    const first = readFileSync(file, 'utf8')
    nowMs = () => Date.now() + ROTATE_AFTER_SECONDS * 1000
    t.strictSame(await getAtOnce(), [user.id])
    t.equal(await session(), 'active 1', 'one of them replaced it')
    const second = readFileSync(file, 'utf8')
    t.not(second, first)
    t.match(await run(['get']), user.id)
    t.equal(readFileSync(file, 'utf8'), second, 'which is young')
  })
})
