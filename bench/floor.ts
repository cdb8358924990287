// The floor: the least that a token endpoint on Node can do. It reads a body, makes one Redis call
// and one ES256 signature, and answers JSON. No framework, no checks, no promises.

import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'

const redis = new Redis(process.env.FLOOR_REDIS_URL ?? '')
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const header = Buffer.from('{"alg":"ES256","kid":"floor","typ":"at+jwt"}').toString('base64url')

redis.defineCommand('floor', { numberOfKeys: 1, lua: "return redis.call('HGETALL', KEYS[1])" })
const floor = redis as Redis & { floor(key: string): Promise<string[]> }

function signToken(): string {
  const iat = Math.floor(Date.now() / 1000)
  const claims = { iss: 'https://floor.test', sub: 'x', aud: 'y', exp: iat + 600, iat, jti: 'z' }
  const signed = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  const signature = sign('sha256', Buffer.from(signed), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  return `${signed}.${signature.toString('base64url')}`
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', async () => {
    const form = new URLSearchParams(Buffer.concat(chunks).toString())
    await floor.floor(`lineage:{u:floor}:${form.get('client_id')}`)
    const body = JSON.stringify({
      access_token: signToken(),
      token_type: 'Bearer',
      expires_in: 600,
    })
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
    })
    response.end(body)
  })
})

server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
})
