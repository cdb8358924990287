// `npm start` on a fresh copy of this checkout, on a real database: with nothing built, twice at once;
// then once more, with nothing to build.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { serverEnvironment } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const ROOT = join(import.meta.dirname, '../..')
const FILES = [
  'src',
  'scripts',
  'prisma',
  'openapi.yaml',
  'package.json',
  'package-lock.json',
  'prisma.config.ts',
  'tsconfig.json',
  'tsconfig.build.json',
]
/** Two builds on a busy machine. */
const READY_TIMEOUT_MS = 150_000

/** What `git clone && npm ci` leaves: nothing is generated or built. */
function copyCheckout(t: Test): string {
  const dir = t.testdir({ node_modules: t.fixture('symlink', join(ROOT, 'node_modules')) })
  const filter = (path: string) => path !== join(ROOT, 'src/generated')
  for (const name of FILES) cpSync(join(ROOT, name), join(dir, name), { recursive: true, filter })
  return dir
}

interface Started {
  ready(): Promise<void>
  /** To npm, as a supervisor does; resolves when it has ended. */
  stop(): Promise<{ code: number | null; log: string }>
}

async function npmStart(t: Test, cwd: string, databaseUrl: string): Promise<Started> {
  const port = String(await findFreePort())
  const { PATH, HOME } = process.env
  // tap would load itself into every Node child.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', 'npm', 'start'], {
    cwd,
    detached: true,
    env: { PATH, HOME, PORT: port, ...serverEnvironment(databaseUrl) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text
    })
  }
  const closed = once(child, 'close') as Promise<[number | null]>
  t.teardown(async () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
    await closed
  })
  const isReady = async () => {
    if (child.exitCode !== null) throw new Error(`npm start ended: ${log}`)
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    return answer?.status === 200
  }
  return {
    ready: async () => void (await until('a service that is ready', isReady, READY_TIMEOUT_MS)),
    async stop() {
      child.kill('SIGTERM')
      const [code] = await closed
      return { code, log }
    },
  }
}

test('two copies at once from one checkout both come up, and stop when npm is told to', async (t) => {
  const [checkout, { url }] = [copyCheckout(t), await openTestDatabase(t)]
  const both = await Promise.all([npmStart(t, checkout, url), npmStart(t, checkout, url)])
  await Promise.all(both.map((one) => one.ready()))
  for (const { code, log } of await Promise.all(both.map((one) => one.stop()))) {
    t.equal(code, 0)
    t.match(log, '"event":"service.stopped"')
  }

  const state = () => [
    readlinkSync(join(checkout, 'dist')),
    ...readdirSync(join(checkout, '.build')).sort(),
  ]
  const built = state()
  const again = await npmStart(t, checkout, url)
  await again.ready()
  t.equal((await again.stop()).code, 0)
  t.strictSame(state(), built, 'nothing had changed, so nothing was built')
})
