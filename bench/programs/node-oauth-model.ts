// What @node-oauth/oauth2-server asks of a service: ES256 JWT access tokens, refresh tokens by their
// hash in Redis, used up by the deletion that only one caller sees succeed, passwords by argon2.

import { createHash, randomBytes } from 'node:crypto'
import type OAuth2Server from '@node-oauth/oauth2-server'
import { verify } from 'argon2'
import type { Redis } from 'ioredis'
import { signToken, verifyToken } from './es256-token.ts'

type Model = OAuth2Server.PasswordModel &
  OAuth2Server.RefreshTokenModel &
  OAuth2Server.ClientCredentialsModel

const SCOPE = ['api:read']

const keyOf = (refreshToken: string) =>
  `node-oauth:${createHash('sha256').update(refreshToken).digest('base64url')}`

export function openModel(redis: Redis, clientSecret: string, storedPassword: string): Model {
  const clients: readonly (OAuth2Server.Client & { secret?: string })[] = [
    { id: 'app', grants: ['password', 'refresh_token'] },
    { id: 'service', grants: ['client_credentials'], secret: clientSecret },
  ]

  async function saveToken(
    token: OAuth2Server.Token,
    client: OAuth2Server.Client,
    user: OAuth2Server.User,
  ): Promise<OAuth2Server.Token> {
    const { refreshToken, refreshTokenExpiresAt } = token
    if (refreshToken && refreshTokenExpiresAt) {
      const record = { clientId: client.id, userId: user.id, scope: token.scope }
      const expiresAt = refreshTokenExpiresAt.getTime()
      await redis.set(
        keyOf(refreshToken),
        JSON.stringify({ ...record, expiresAt }),
        'PXAT',
        expiresAt,
      )
    }
    return { ...token, client, user }
  }

  return {
    getClient: async (id, secret) => {
      const client = clients.find((one) => one.id === id)
      return client && (client.secret ?? null) === (secret ?? null) ? client : undefined
    },
    getUser: async (username, password) =>
      (await verify(storedPassword, password)) ? { id: username } : undefined,
    getUserFromClient: async (client) => ({ id: client.id }),
    validateScope: async () => SCOPE,
    generateAccessToken: async (client, user, scope) =>
      signToken(String(user.id), client.id, scope.join(' ')),
    generateRefreshToken: async () => randomBytes(32).toString('base64url'),
    saveToken,
    async getRefreshToken(refreshToken) {
      const text = await redis.get(keyOf(refreshToken))
      if (text === null) return undefined
      const { clientId, userId, scope, expiresAt } = JSON.parse(text)
      const client = clients.find((one) => one.id === clientId)
      if (!client) return undefined
      const refreshTokenExpiresAt = new Date(expiresAt)
      return { refreshToken, refreshTokenExpiresAt, scope, client, user: { id: userId } }
    },
    revokeToken: async ({ refreshToken }) => (await redis.del(keyOf(refreshToken))) === 1,
    async getAccessToken(accessToken) {
      const claims = verifyToken(accessToken)
      // A token that was taken back would stand there.
      if (!claims || (await redis.exists(`node-oauth:revoked:${claims.jti}`))) return undefined
      const client = clients.find((one) => one.id === claims.client_id)
      if (!client) return undefined
      const accessTokenExpiresAt = new Date(claims.exp * 1000)
      return { accessToken, accessTokenExpiresAt, client, user: { id: claims.sub } }
    },
    verifyScope: async () => true,
  }
}
