// Where oidc-provider keeps its models in Redis, as the example adapter of its authors does: JSON
// under a key with a time to live, a hash where `consumed` is added, and a list of the keys of each
// grant, so that revoking one finds them.

import type { Redis } from 'ioredis'
import type { Adapter, AdapterPayload } from 'oidc-provider'

const CONSUMABLE = new Set(['AuthorizationCode', 'RefreshToken', 'DeviceCode'])
const GRANTABLE = new Set([...CONSUMABLE, 'AccessToken'])

const grantKey = (grantId: string) => `oidc:grant:${grantId}`

export function openRedisAdapter(redis: Redis, model: string): Adapter {
  const keyOf = (id: string) => `oidc:${model}:${id}`
  const isConsumable = CONSUMABLE.has(model)

  async function upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    const key = keyOf(id)
    const work = redis.multi()
    const text = JSON.stringify(payload)
    if (isConsumable) work.hset(key, { payload: text })
    else work.set(key, text)
    if (expiresIn) work.expire(key, expiresIn)
    if (GRANTABLE.has(model) && payload.grantId) {
      const grant = grantKey(payload.grantId)
      work.rpush(grant, key)
      if (expiresIn > (await redis.ttl(grant))) work.expire(grant, expiresIn)
    }
    await work.exec()
  }

  async function find(id: string): Promise<AdapterPayload | undefined> {
    if (!isConsumable) {
      const text = await redis.get(keyOf(id))
      return text === null ? undefined : (JSON.parse(text) as AdapterPayload)
    }
    const { payload, ...rest } = await redis.hgetall(keyOf(id))
    if (payload === undefined) return undefined
    return { ...rest, ...(JSON.parse(payload) as AdapterPayload) }
  }

  async function revokeByGrantId(grantId: string): Promise<void> {
    const keys = await redis.lrange(grantKey(grantId), 0, -1)
    await redis.del(...keys, grantKey(grantId))
  }

  return {
    upsert,
    find,
    // Only interactions and device codes are looked for by anything else, and here are none.
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    consume: async (id) => {
      await redis.hset(keyOf(id), 'consumed', Math.floor(Date.now() / 1000))
    },
    destroy: async (id) => {
      await redis.del(keyOf(id))
    },
    revokeByGrantId,
  }
}
