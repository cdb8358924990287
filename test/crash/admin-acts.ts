// Killed while administrators make, change and delete what there is: whatever was answered stands, and
// what was not is there as a whole or not at all.

import type { Random } from '../chaos/random.ts'
import type { LineageProcess } from '../support/lineage-process.ts'
import { until } from '../support/until.ts'
import type { Act, RunRound } from './act.ts'
import { type Claims, openClaims } from './claims.ts'
import { openCrashScene, toDamages } from './crash-scene.ts'
import { endMeasuring } from './fuse.ts'
import { isNoAnswer } from './person-requests.ts'

/** One kind of resource, of which one member changes and tells which change was the last. */
interface Kind {
  readonly path: string
  name(number: number): string
  make(name: string, value: string): object
  change(value: string): object
  read(item: Item): { readonly name: string; readonly value: string }
}

type Item = Readonly<Record<string, unknown>>

const KINDS: Readonly<Record<string, Kind>> = {
  clients: {
    path: '/admin/clients',
    name: (number) => `crash-client-${number}`,
    make: (id, name) => ({
      ...{ id, name, type: 'confidential', grantTypes: ['client_credentials'] },
    }),
    change: (name) => ({ name }),
    read: ({ id, name }) => ({ name: String(id), value: String(name) }),
  },
  webhooks: {
    path: '/admin/webhooks',
    name: (number) => `https://hooks.example.com/${number}`,
    make: (url, description) => ({ url, description, events: ['key.retired'] }),
    change: (description) => ({ description }),
    read: ({ url, description }) => ({ name: String(url), value: String(description) }),
  },
  users: {
    path: '/admin/users',
    name: (number) => `crash-user-${number}`,
    make: (username, role) => ({
      ...{ username, email: `${username}@example.com`, password: 'correct horse', roles: [role] },
    }),
    change: (role) => ({ roles: [role] }),
    read: ({ username, roles }) => ({ name: String(username), value: String(roles) }),
  },
  issuers: {
    path: '/admin/trusted-issuers',
    name: (number) => `crash-issuer-${number}`,
    make: (id, audience) => ({
      ...{ id, audience, issuer: `https://${id}.example.com`, kind: 'oidc' },
      jwksUri: `https://${id}.example.com/jwks`,
    }),
    change: (audience) => ({ audience }),
    read: ({ id, audience }) => ({ name: String(id), value: String(audience) }),
  },
}

const ABSENT = 'absent'
const EACH_MAX = 8
const PATIENCE_MS = 15_000

interface Keeper {
  /** One change; false when it was not answered. */
  step(service: LineageProcess): Promise<boolean>
  settle(service: LineageProcess): Promise<string[]>
}

function openKeeper(kind: Kind, claims: Claims, random: Random): Keeper {
  /** By their names, which are never used again. */
  const ids = new Map<string, string>()
  const faults: string[] = []
  let made = 0
  let turn = 0

  /** Whether the answer is the one that a change has; any other, but none, is a fault. */
  function isDone(what: string, said: number, expected: number, body: Item): boolean {
    if (!isNoAnswer(said) && said !== expected)
      faults.push(`${what}: ${said} ${JSON.stringify(body)}`)
    return said === expected
  }

  async function make(service: LineageProcess, value: string): Promise<boolean> {
    made += 1
    const name = kind.name(made)
    claims.answer(name, ABSENT)
    claims.ask(name, value)
    const { said, body } = await ask(service, 'POST', kind.path, kind.make(name, value))
    if (!isDone(`a new ${name}`, said, 201, body)) return false
    claims.answer(name, value)
    ids.set(name, String(body.id))
    return true
  }

  async function change(service: LineageProcess, name: string, value: string): Promise<boolean> {
    claims.ask(name, value)
    const path = `${kind.path}/${ids.get(name)}`
    const { said, body } = await ask(service, 'PATCH', path, kind.change(value))
    if (!isDone(`${name} changed`, said, 200, body)) return false
    claims.answer(name, value)
    return true
  }

  async function remove(service: LineageProcess, name: string): Promise<boolean> {
    claims.ask(name, ABSENT)
    const { said, body } = await ask(service, 'DELETE', `${kind.path}/${ids.get(name)}`)
    if (!isDone(`${name} deleted`, said, 204, body)) return false
    claims.answer(name, ABSENT)
    ids.delete(name)
    return true
  }

  return {
    async step(service) {
      turn += 1
      const value = `v${turn}`
      const names = [...ids.keys()]
      if (names.length === 0) return await make(service, value)
      const dice = random.next()
      if (dice < 0.3 && names.length < EACH_MAX) return await make(service, value)
      const name = random.pick(names)
      return dice < 0.8 ? await change(service, name, value) : await remove(service, name)
    },
    async settle(service) {
      const { said, body } = await until('a list', async () => {
        const answer = await ask(service, 'GET', `${kind.path}?limit=100`)
        return !isNoAnswer(answer.said) && answer
      })
      if (said !== 200) return [`the list of ${kind.path} is answered ${said}`]
      const found = new Map<string, string>()
      ids.clear()
      for (const item of body.items as readonly Item[]) {
        const { name, value } = kind.read(item)
        found.set(name, value)
        if (claims.of(name).length > 0) ids.set(name, String(item.id))
      }
      const mine = claims.all().filter((name) => name.startsWith(kind.name(0).slice(0, -1)))
      const broken = mine.flatMap((name) => claims.see(name, found.get(name) ?? ABSENT) ?? [])
      return [...faults.splice(0), ...broken]
    },
  }
}

async function ask(
  service: LineageProcess,
  method: string,
  path: string,
  json?: object,
): Promise<{ said: number; body: Item }> {
  try {
    const token = await service.adminToken()
    const answer = await service.fetch(path, {
      method,
      signal: AbortSignal.timeout(PATIENCE_MS),
      headers: {
        authorization: `Bearer ${token}`,
        ...(json && { 'content-type': 'application/json' }),
      },
      ...(json && { body: JSON.stringify(json) }),
    })
    const text = await answer.text()
    return { said: answer.status, body: text === '' ? {} : (JSON.parse(text) as Item) }
  } catch {
    return { said: 0, body: {} }
  }
}

const admin: Act = {
  what: 'clients, webhooks, users and trusted issuers made, changed and deleted; the service dies',
  share: 4,
  async open(scope, random) {
    const scene = await openCrashScene(scope)
    let service = await scene.start()
    const claims = openClaims()
    const keepers = Object.entries(KINDS).map(([name, kind]) =>
      openKeeper(kind, claims, random.fork(name)),
    )
    const round: RunRound = async (fuseOf) => {
      const fuse = fuseOf('process')
      scene.attach(fuse)
      const dying = service
      fuse.light(() => dying.signal('SIGKILL'))
      const stop = endMeasuring(fuse)
      await Promise.all(
        keepers.map(async (keeper) => {
          while (await keeper.step(dying));
        }),
      )
      stop()
      fuse.burnOut()
      scene.attach(undefined)
      await dying.exited
      service = await scene.start()
      const broken = (await Promise.all(keepers.map((keeper) => keeper.settle(service)))).flat()
      return { killed: 'process', damages: [...toDamages(broken), ...(await scene.walk())] }
    }
    return round
  },
}

export const ADMIN_ACTS = { admin } as const satisfies Record<string, Act>
