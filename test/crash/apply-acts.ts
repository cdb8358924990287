// Killed while files are applied, by the command or at a start: the same files again do what is left, and then
// there is no difference.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publicClient, resource } from '../scenes/declarative-scene.ts'
import type { Act, RunRound } from './act.ts'
import { openCrashScene } from './crash-scene.ts'
import { repeatCommand, runUnderFuse, startUnderFuse } from './program.ts'

const EACH = 4
const LABEL = ['--label', 'team=crash']

/** Every kind, in two generations: `turn` names what changes, and whom the next one leaves out. */
function declare(turn: number): object[] {
  const odd = turn % 2
  const spec = { name: `Service ${turn}`, type: 'confidential', grantTypes: ['client_credentials'] }
  const members = Array.from({ length: EACH }, (_, i) => i)
  return [
    ...members.flatMap((i) => [
      publicClient(`app-${i}-${i === 0 ? odd : 0}`, {
        name: `App ${turn}`,
        scopes: ['a', `b${odd}`],
      }),
      resource('Client', `jobs-${i}`, spec, { secretFrom: { env: `CLIENT_SECRET_${odd}` } }),
      resource('User', `user-${i}-${i === 0 ? odd : 0}`, {
        email: `user-${i}-${i === 0 ? odd : 0}@example.com`,
        roles: [`role-${turn}`],
      }),
      resource(
        'Webhook',
        `hook-${i}`,
        { url: `https://hooks.example.com/${turn}/${i}`, events: ['user.created'] },
        { secretFrom: { env: `WEBHOOK_SECRET_${odd}` } },
      ),
    ]),
    resource('TrustedIssuer', `cluster-${odd}`, {
      issuer: `https://cluster-${odd}.example.com`,
      kind: 'kubernetes',
      jwksUri: `https://cluster-${odd}.example.com/jwks`,
    }),
  ]
}

const SECRETS = Object.fromEntries(
  [0, 1].flatMap((odd) => [
    [`CLIENT_SECRET_${odd}`, `a client secret ${randomBytes(24).toString('base64url')}`],
    [`WEBHOOK_SECRET_${odd}`, `whsec_${randomBytes(32).toString('base64')}`],
  ]),
)

const apply: Act = {
  what: 'files applied, with pruning by the command, without at a start',
  share: 4,
  async open(scope) {
    const scene = await openCrashScene(scope, { env: SECRETS })
    const first = await scene.start()
    first.signal('SIGTERM')
    await first.exited
    const folder = mkdtempSync(join(tmpdir(), 'lineage-crash-'))
    scope.teardown(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'resources.yaml')
    let turn = 0
    const round: RunRound = async (fuseOf, random) => {
      turn += 1
      writeFileSync(file, JSON.stringify(declare(turn)))
      const isStart = random.next() < 0.35
      const fuse = fuseOf(isStart ? 'start' : 'command')
      const args = ['apply', '-f', file, ...LABEL, '--prune']
      scene.attach(fuse)
      if (isStart) {
        await startUnderFuse(scope, { ...scene.env, LINEAGE_APPLY_FILE: file }, fuse)
      } else {
        const kill = (child: { kill(name: 'SIGKILL'): unknown }) => void child.kill('SIGKILL')
        await runUnderFuse(scope, scene.env, args, { fuse, kill })
      }
      scene.attach(undefined)
      // Nobody is there to carry what is committed to the sessions, until the next one starts.
      const cut = (await scene.walk()).filter(({ invariant }) => invariant !== 'journal_applied')
      const repeated = await repeatCommand(scope, scene.env, args)
      const same = await repeatCommand(scope, scene.env, [...args, '--dry-run'])
      return {
        killed: isStart ? 'start' : 'command',
        damages: [...cut, ...repeated, ...same, ...(await scene.walk())],
      }
    }
    return round
  },
}

export const APPLY_ACTS = { apply } as const satisfies Record<string, Act>
