// Makes the key of a client: the private one into the file PRIVATE_KEY_FILE, which must not be there yet,
// and the public one, as a JWK Set, to stdout. Only the public one leaves this machine.

import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'

const { PRIVATE_KEY_FILE: file = 'private-key.json' } = process.env

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const named = { kid: randomUUID(), alg: 'ES256' }
const secret = JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ...named })
writeFileSync(file, secret, { mode: 0o600, flag: 'wx' })
console.log(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), ...named }] }))
