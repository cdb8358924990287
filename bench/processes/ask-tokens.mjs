// A token request as a process of a command line makes it: with a proof of its key where it has one
// (RFC 9449 §5). Plain JavaScript, so that fifty of them start quickly.

import { createPrivateKey, randomUUID, sign } from 'node:crypto'

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** @param {{ url: string, htu: string, key?: object }} endpoint `key` is a private JWK of P-256. */
export function openTokenEndpoint({ url, htu, key }) {
  let nonce

  async function post(form) {
    const headers = key ? { dpop: prove(key, htu, nonce) } : {}
    const answer = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(form) })
    nonce = answer.headers.get('dpop-nonce') ?? nonce
    return { ok: answer.ok, body: await answer.json() }
  }

  return async function ask(form) {
    const answer = await post(form)
    return answer.body.error === 'use_dpop_nonce' ? await post(form) : answer
  }
}

function prove(jwk, htu, nonce) {
  const { d: _, ...publicKey } = jwk
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: publicKey }
  const iat = Math.floor(Date.now() / 1000)
  const signed = `${encode(header)}.${encode({ jti: randomUUID(), htm: 'POST', htu, iat, nonce })}`
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}
