// The floors: the least that each kind of answer can cost on Node. A bare `node:http` server without
// framework, checks or promises to anybody; docs/performance.md says what each of its paths does.

import { Redis } from 'ioredis'
import { signToken, verifyToken } from './es256-token.ts'
import { answerJson, listen, readBody } from './http-program.ts'

const redis = new Redis(process.env.REDIS_URL ?? '')
redis.defineCommand('floor', { numberOfKeys: 1, lua: "return redis.call('HGETALL', KEYS[1])" })
const { floor } = redis as Redis & { floor(key: string): Promise<string[]> }
const askRedis = (name: string) => floor.call(redis, `bench:{u:floor}:${name}`)

// Of the size of a key set of two keys.
const DOCUMENT = Buffer.from(JSON.stringify({ keys: ['x'.repeat(220), 'y'.repeat(220)] }))
const DOCUMENT_HEADERS = {
  'content-type': 'application/json',
  'content-length': DOCUMENT.length,
  'cache-control': 'public, max-age=300',
}

const issue = (sub: string) => ({
  access_token: signToken(sub, 'floor', 'api:read'),
  token_type: 'Bearer',
  expires_in: 600,
})

listen(async (request, response) => {
  if (request.url === '/document') {
    response.writeHead(200, DOCUMENT_HEADERS)
    response.end(DOCUMENT)
    return
  }
  if (request.url === '/verify') {
    const claims = verifyToken(request.headers.authorization?.slice('Bearer '.length) ?? '')
    await askRedis('verify')
    response.writeHead(claims ? 200 : 401, { 'content-length': 0, 'cache-control': 'no-store' })
    response.end()
    return
  }
  const form = new URLSearchParams(await readBody(request))
  const client = form.get('client_id') ?? ''
  if (request.url === '/token') {
    await askRedis(client)
    answerJson(response, 200, issue(client))
  } else if (request.url === '/sign') {
    answerJson(response, 200, issue(client))
  } else {
    const claims = verifyToken(form.get('token') ?? '')
    await askRedis(client)
    answerJson(response, claims ? 200 : 400, { active: claims !== undefined, ...claims })
  }
})
