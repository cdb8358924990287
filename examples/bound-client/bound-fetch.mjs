// `fetch` with a DPoP proof (RFC 9449) on every request, by a key that never leaves this process. It keeps the
// nonces that servers give, and asks once more where one is wanted. No dependencies.

import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto'

const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url')

export function openBoundFetch() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const header = encode({ typ: 'dpop+jwt', alg: 'ES256', jwk: publicKey.export({ format: 'jwk' }) })
  const nonces = new Map()

  /** One for each request, for a repetition too: a proof is good once. */
  function prove(method, url, token) {
    const { origin, pathname } = new URL(url)
    const claims = {
      jti: randomUUID(),
      htm: method,
      htu: `${origin}${pathname}`,
      iat: Math.floor(Date.now() / 1000),
      nonce: nonces.get(origin),
      ath: token && createHash('sha256').update(token).digest('base64url'),
    }
    const signed = `${header}.${encode(claims)}`
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' }
    return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`
  }

  async function send(url, { token, ...init }) {
    const headers = new Headers(init.headers)
    if (token) headers.set('authorization', `DPoP ${token}`)
    headers.set('dpop', prove(init.method ?? 'GET', url, token))
    const answer = await fetch(url, { ...init, headers })
    const nonce = answer.headers.get('dpop-nonce')
    if (nonce) nonces.set(new URL(url).origin, nonce)
    return answer
  }

  /** `token` is an access token that was issued to this very function. */
  return async (url, init = {}) => {
    const before = nonces.get(new URL(url).origin)
    const answer = await send(url, init)
    const isRefused = answer.status === 400 || answer.status === 401
    const hasNews = nonces.get(new URL(url).origin) !== before
    return isRefused && hasNews ? await send(url, init) : answer
  }
}
