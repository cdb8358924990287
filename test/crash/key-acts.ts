// Killed while signing keys are rotated, by the command or through the service, on schedule or as
// compromised; and while a start brings everything under a new root secret.

import { randomUUID } from 'node:crypto'
import type { FactorId } from '../../src/factors/factor.ts'
import { newFactorSecret, sealFactorSecret } from '../../src/factors/factor-secret.ts'
import { openRootSecrets } from '../../src/secrets/root-secret.ts'
import type { UserId } from '../../src/users/user.ts'
import { addWebhookSecret, sealSecrets } from '../../src/webhooks/webhook-secret.ts'
import type { Random } from '../chaos/random.ts'
import { logIn } from '../support/app.ts'
import { type LineageProcess, refresh } from '../support/lineage-process.ts'
import { ROOT_SECRET, rootSecretOf, secretKeyOf } from '../support/root-secrets.ts'
import { until } from '../support/until.ts'
import type { Act, RunRound } from './act.ts'
import { type CrashScene, openCrashScene, patiently, toDamages } from './crash-scene.ts'
import type { Fuse } from './fuse.ts'
import { answered } from './person-requests.ts'
import { repeatCommand, runUnderFuse, startUnderFuse } from './program.ts'

const ALGS = 'ES256,EdDSA'

/** Rotations by turns: whoever asks for it is killed, and asks again. */
const keys: Act = {
  what: 'rotations of signing keys, by the command or the service, also as compromised',
  share: 3,
  async open(scope) {
    const scene = await openCrashScene(scope, { env: { LINEAGE_SIGNING_ALGS: ALGS } })
    let service = await scene.start()
    const begun = service
    const client = await patiently(() => begun.makeClient({}))
    const user = await patiently(() => begun.makeUser())
    const logInThere = () => patiently(() => logIn(service, client, user))
    const round: RunRound = async (fuseOf, random) => {
      const isCompromised = random.next() < 0.5
      const args = ['keys', 'rotate', ...(isCompromised ? ['--compromised'] : [])]
      const isByService = random.next() < 0.5
      const fuse = fuseOf(`${isByService ? 'service' : 'command'}${isCompromised ? ', all' : ''}`)
      const before = (await logInThere()).access_token
      scene.attach(fuse)
      if (isByService) await rotateByService(service, isCompromised, fuse)
      else {
        const kill = {
          fuse,
          kill: (child: { kill(name: 'SIGKILL'): unknown }) => child.kill('SIGKILL'),
        }
        await runUnderFuse(scope, scene.env, args, kill)
      }
      scene.attach(undefined)
      const whole = await scene.walk({ algs: ALGS.split(',') })
      if (isByService) service = await scene.start()
      const repeated = await repeatCommand(scope, scene.env, args)
      await untilForgotten(service, scene)
      const after = (await logInThere()).access_token
      const said = [await verify(service, before), await verify(service, after)]
      const expected = [isCompromised ? 401 : 200, 200]
      const broken = said.join() === expected.join() ? [] : [`${args.join(' ')}: ${said.join()}`]
      return {
        killed: isByService ? 'service' : 'command',
        damages: [
          ...whole,
          ...repeated,
          ...toDamages(broken),
          ...(await scene.walk({ algs: ALGS.split(',') })),
        ],
      }
    }
    return round
  },
}

/** Running instances hear of it a moment later; until then they sign with a key that is compromised. */
async function untilForgotten(service: LineageProcess, { query }: CrashScene): Promise<void> {
  await until('a service that knows no other keys', async () => {
    const answer = await service.fetch('/.well-known/jwks.json')
    const { keys } = (await answer.json()) as { keys: { kid: string }[] }
    const stored = await query<{ kid: string }>('SELECT kid FROM signing_keys')
    return keys.every((key) => stored.some(({ kid }) => kid === key.kid))
  })
}

async function rotateByService(
  service: LineageProcess,
  compromised: boolean,
  fuse: Fuse,
): Promise<void> {
  fuse.light(() => service.signal('SIGKILL'))
  await service.admin('POST', '/admin/keys/rotate', { compromised }).catch(() => {})
  fuse.burnOut()
  await service.exited
}

function verify(service: LineageProcess, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  return answered(async () => (await service.fetch('/verify', { headers })).status)
}

/** So many rows are to be sealed anew that it takes a while. */
const SEALED_ROWS = 60

/** Each round rolls to another root secret; the start that seals everything anew is killed. */
const rootSecret: Act = {
  what: 'a start with a new root secret, which seals everything anew',
  share: 3,
  async open(scope, random) {
    const scene = await openCrashScene(scope)
    const first = await scene.start()
    const client = await patiently(() => first.makeClient({}))
    const user = await patiently(() => first.makeUser())
    let token = (await patiently(() => logIn(first, client, user))).refresh_token
    await sealRows(scene, user.id as UserId)
    first.signal('SIGTERM')
    await first.exited
    let secrets = [ROOT_SECRET]
    const round: RunRound = async (fuseOf) => {
      const fuse = fuseOf('start')
      const [current = ROOT_SECRET] = secrets
      const next = anotherThan(current, random)
      const env = { LINEAGE_SECRET_KEY: secretKeyOf(next, current) }
      scene.attach(fuse)
      await startUnderFuse(scope, { ...scene.env, ...env }, fuse)
      scene.attach(undefined)
      const rootSecrets = openRootSecrets([next, current])
      const whole = await scene.walk({ rootSecrets })
      const service = await scene.start(env)
      const answer = await patiently(async () => {
        const said = await refresh(service, client, token)
        if (said.status === 503) throw new Error('not now')
        return said
      })
      const body = (await answer.json()) as { refresh_token?: string }
      token = body.refresh_token ?? token
      const broken = answer.status === 200 ? [] : [`the session was answered ${answer.status}`]
      const anew = await scene.walk({ rootSecrets, isSealedAnew: true })
      service.signal('SIGTERM')
      await service.exited
      secrets = [next]
      return { killed: 'start', damages: [...whole, ...toDamages(broken), ...anew] }
    }
    return round
  },
}

function anotherThan(secret: Buffer, random: Random): Buffer {
  const others = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(rootSecretOf).filter((one) => !one.equals(secret))
  return random.pick(others)
}

async function sealRows({ query }: CrashScene, userId: UserId): Promise<void> {
  const rootSecrets = openRootSecrets([ROOT_SECRET])
  for (let i = 0; i < SEALED_ROWS; i += 1) {
    const webhookId = randomUUID()
    const sealed = sealSecrets(addWebhookSecret([], Date.now()), webhookId, rootSecrets)
    await query(
      `INSERT INTO webhooks (id, url, events, description, status, allow_private_network,
         secrets_encrypted, root_secret_id, created_at, updated_at)
       VALUES ($1, 'https://hooks.example.com/', '{}', '', 'active', false, $2, $3, now(), now())`,
      [webhookId, Buffer.from(sealed.secretsEncrypted), sealed.rootSecretId],
    )
    const id = randomUUID() as FactorId
    const factor = sealFactorSecret(newFactorSecret(), { id, userId }, rootSecrets)
    await query(
      `INSERT INTO factors (id, user_id, type, status, secret_encrypted, root_secret_id, created_at,
         activated_at) VALUES ($1, $2, 'totp', 'active', $3, $4, now(), now())`,
      [id, userId, Buffer.from(factor.secretEncrypted), factor.rootSecretId],
    )
  }
  await query('UPDATE users SET has_factor = true WHERE id = $1', [userId])
}

export const KEY_ACTS = { keys, 'root-secret': rootSecret } as const satisfies Record<string, Act>
