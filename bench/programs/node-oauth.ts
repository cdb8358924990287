// @node-oauth/oauth2-server behind a bare `node:http`: a framework that leaves tokens and storage to
// a model, which is node-oauth-model.ts. It has `token` and `authenticate`, and nothing else of what
// is measured here.

import type { IncomingMessage, ServerResponse } from 'node:http'
import OAuth2Server from '@node-oauth/oauth2-server'
import { Redis } from 'ioredis'
import { hashPassword } from './argon2-cost.ts'
import { answerJson, listen, readBody } from './http-program.ts'
import { openModel } from './node-oauth-model.ts'

const { Request, Response } = OAuth2Server
const redis = new Redis(process.env.REDIS_URL ?? '')
const server = new OAuth2Server({
  model: openModel(redis, process.env.CLIENT_SECRET ?? '', await hashPassword()),
  accessTokenLifetime: 3_600,
  refreshTokenLifetime: 14 * 86_400,
  // The app is a public client.
  requireClientAuthentication: { password: false, refresh_token: false },
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = Object.fromEntries(new URLSearchParams(await readBody(request)))
  const headers = request.headers as Record<string, string>
  const asked = new Request({ method: request.method ?? '', query: {}, headers, body })
  const result = new Response({ headers: {} })
  if (request.url === '/verify') {
    await server.authenticate(asked, result)
    answerJson(response, 200, {})
  } else {
    await server.token(asked, result)
    answerJson(response, 200, result.body)
  }
}

listen((request, response) => {
  answer(request, response).catch((error: { code?: number; message: string }) => {
    answerJson(response, error.code ?? 500, { error: error.message })
  })
})
