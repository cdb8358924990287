// An honest client with one session at a time. A lively one now and then ends it, disables its user
// or is robbed. It repeats what was not answered, at any instance, as clients behind a balancer do.

import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { decodeJwt } from 'jose'
import { BEYOND_GRACE_MS, type ChaosScene, type ChaosUser, type Instance } from './chaos-scene.ts'
import type { Operation, OperationName } from './history.ts'
import type { Random } from './random.ts'

const ANSWER_TIMEOUT_MS = 5_000
/** How often a client hangs up before it is answered, and after how long. */
const HANGS_UP = 0.03
const HANG_UP_MAX_MS = 25
const PAUSE_MAX_MS = 60
/** What no repetition changes any more; 400 is how a theft ends a session. */
const FINAL = [200, 204, 400]
const ATTEMPTS_MAX = 500

/** A calm one only uses its session, so that whatever refuses it is to blame. */
export type Temper = 'calm' | 'lively'

export interface Actor {
  /** One step, whatever it is. */
  step(): Promise<void>
  /** When it last began something, and when it began what it was last served. */
  readonly askedAtMs: number
  readonly servedAtMs: number
  /** What it met last, in words. */
  describe(): string
}

interface Session {
  readonly id: string
  readonly access: string
  /** Every refresh token by its generation; the last one is the current one. */
  readonly tokens: readonly string[]
}

interface Answer {
  readonly operation: Operation
  readonly body: { readonly access_token?: string; readonly refresh_token?: string }
}

export function openActor(
  scene: ChaosScene,
  { user, temper }: { readonly user: ChaosUser; readonly temper: Temper },
  random: Random,
  record: (operation: Operation) => void,
): Actor {
  const { client, instances } = scene
  let session: Session | undefined
  let isRepeating = false
  let last = 'nothing'
  const at = { asked: 0, served: 0 }

  async function ask(
    name: OperationName,
    send: (instance: Instance, init: RequestInit) => Promise<Response>,
    about: Pick<Operation, 'session' | 'generation'> = {},
    instance = random.pick(instances),
  ): Promise<Answer> {
    const startMs = performance.now()
    at.asked = startMs
    const hangsUp = random.next() < HANGS_UP
    const signal = AbortSignal.timeout(
      hangsUp ? random.between(1, HANG_UP_MAX_MS) : ANSWER_TIMEOUT_MS,
    )
    const { status, body } = await send(instance, { signal }).then(readAnswer, () => noAnswer)
    const got = readTokens(body)
    const operation: Operation = {
      name,
      user: user.id,
      ...about,
      instance: instance.number,
      startMs,
      endMs: performance.now(),
      status,
      ...(typeof body.error === 'string' ? { error: body.error } : {}),
      ...(got ? { got } : {}),
    }
    record(operation)
    last = `${name} ${status} ${operation.error ?? ''}`
    if (got) at.served = startMs
    return { operation, body }
  }

  const post = (path: string, parameters: Record<string, string>) => (to: Instance, init: object) =>
    to.service.fetch(path, { ...init, method: 'POST', body: new URLSearchParams(parameters) })

  const bear = (method: string, path: string, token: string) => (to: Instance, init: object) =>
    to.service.fetch(path, { ...init, method, headers: { authorization: `Bearer ${token}` } })

  async function logIn(): Promise<void> {
    const { id } = client
    const { username, password } = user
    const form = { grant_type: 'password', client_id: id, username, password }
    const { body, operation } = await ask('login', post('/token', form))
    const { access_token: access, refresh_token: token } = body
    if (!access || !token || !operation.got) return
    session = { id: operation.got.session, access, tokens: [token] }
  }

  function present(name: 'refresh' | 'replay', held: Session, generation: number): Promise<Answer> {
    const token = held.tokens[generation] ?? ''
    const form = { grant_type: 'refresh_token', client_id: client.id, refresh_token: token }
    return ask(name, post('/token', form), { session: held.id, generation })
  }

  /** A session that is refused is given up. */
  async function refresh(held: Session): Promise<void> {
    const { body, operation } = await present('refresh', held, held.tokens.length - 1)
    const { access_token: access, refresh_token: token } = body
    if (access && token) session = { ...held, access, tokens: [...held.tokens, token] }
    if (operation.status === 400) session = undefined
    isRepeating = operation.status !== 200 && operation.status !== 400
  }

  const verify = (held: Session) =>
    ask('verify', bear('GET', '/verify', held.access), { session: held.id })

  async function repeat(once: () => Promise<Answer>): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const { operation } = await once()
      if (FINAL.includes(operation.status)) return
      await pause(5)
    }
  }

  /** Ends the session; then nothing of it may work, wherever it is tried. */
  async function end(held: Session, once: () => Promise<Answer>): Promise<void> {
    await repeat(once)
    await Promise.all([verify(held), refresh(held)])
    session = undefined
    isRepeating = false
  }

  async function asAdministrator(
    name: OperationName,
    method: string,
    path: string,
    body?: object,
  ): Promise<Answer> {
    return await ask(name, async (to, init) => {
      const token = await to.service.adminToken()
      return await to.service.fetch(path, {
        ...init,
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
    })
  }

  async function disableAndEnable(held: Session): Promise<void> {
    const set = (name: 'disable' | 'enable', status: string) =>
      asAdministrator(name, 'PATCH', `/admin/users/${user.id}`, { status })
    await end(held, () => set('disable', 'disabled'))
    await repeat(() => set('enable', 'active'))
  }

  async function logOutOthersTwice(held: Session): Promise<void> {
    const path = '/users/me/sessions'
    const about = { session: held.id }
    const two = [random.pick(instances), random.pick(instances)].map((to) =>
      ask('logOutOthers', bear('DELETE', path, held.access), about, to),
    )
    await Promise.all(two)
  }

  let robberies = 0

  async function rob(held: Session): Promise<void> {
    if (held.tokens.length < 4) return
    // In turn, too: each kind of theft is seen soon.
    robberies += 1
    const isLast = robberies % 3 === 0
    const generation = isLast ? held.tokens.length - 2 : random.between(0, held.tokens.length - 3)
    // The last one that its owner has used: until then it counts as a repetition of his.
    if (isLast) await delay(BEYOND_GRACE_MS)
    await end(held, () => present('replay', held, generation))
  }

  const pause = (factor = 1) => delay(random.between(5, PAUSE_MAX_MS * factor))

  async function revoke(held: Session): Promise<void> {
    const form = { client_id: client.id, token: held.tokens.at(-1) ?? '' }
    await end(held, () => ask('revoke', post('/revoke', form), { session: held.id }))
  }

  async function logOutAll(held: Session): Promise<void> {
    const path = `/admin/users/${user.id}/sessions`
    await end(held, () => asAdministrator('logOutAll', 'DELETE', path))
  }

  const turns = [revoke, logOutOthersTwice, rob, logOutAll, disableAndEnable]
  let turn = random.between(0, turns.length - 1)

  async function act(held: Session): Promise<void> {
    const dice = random.next()
    // Who was not answered repeats that, and begins nothing else.
    if (isRepeating || dice < 0.78) await refresh(held)
    else if (dice < 0.88 || temper === 'calm') await verify(held)
    else {
      // In turn, so that none is left out for long.
      turn = (turn + 1) % turns.length
      await turns[turn]?.(held)
    }
  }

  return {
    get askedAtMs() {
      return at.asked
    },
    get servedAtMs() {
      return at.served
    },
    describe: () => `${user.username}: ${last}`,
    async step() {
      if (session) await act(session)
      else await logIn()
      await pause()
    },
  }
}

const noAnswer = { status: 0, body: {} as Record<string, string | undefined> }

async function readAnswer(answer: Response): Promise<typeof noAnswer> {
  const text = await answer.text()
  const isJson = /json/.test(answer.headers.get('content-type') ?? '')
  return { status: answer.status, body: isJson ? JSON.parse(text) : {} }
}

/** A refresh token names its generation behind version, secret id, user, family and secret. */
const GENERATION_AT = 1 + 1 + 16 + 16 + 16

function readTokens(body: Record<string, string | undefined>): Operation['got'] {
  const { access_token: access, refresh_token: token } = body
  if (!access || !token) return undefined
  const bytes = Buffer.from(token.replace(/^lrt_/, ''), 'base64url')
  return {
    session: String(decodeJwt(access).sid),
    generation: bytes.readUInt32BE(GENERATION_AT),
    digest: createHash('sha256').update(token).digest('base64url').slice(0, 12),
  }
}
