// Its own keys, encoded by the job that makes them: one that is exported as Node.js made it can stop the
// process for ever.

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'

const publicKeyEncoding = { type: 'spki', format: 'pem' } as const
const privateKeyEncoding = { type: 'pkcs8', format: 'pem' } as const

export function makeKeys(alg: 'RS256' | 'ES256'): { privateKey: KeyObject; publicKey: KeyObject } {
  const pem = alg === 'RS256' ? makeRsa() : makeEc()
  return { privateKey: createPrivateKey(pem.privateKey), publicKey: createPublicKey(pem.publicKey) }
}

function makeRsa() {
  return generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding, privateKeyEncoding })
}

function makeEc() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256', publicKeyEncoding, privateKeyEncoding })
}
