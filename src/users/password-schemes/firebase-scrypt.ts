// Firebase's scrypt, spelled as Supabase does: `$fbscrypt$v=1,n=14,r=8,p=1,ss=…,sk=…$salt$hash`. scrypt
// makes a key out of the password, and the hash is the project's signer key encrypted under it. Signer
// key (`sk`) and salt separator (`ss`) are of the project, and each hash carries them along.

import { createCipheriv } from 'node:crypto'
import type { PasswordScheme } from '../password-scheme.ts'
import { deriveScrypt, SCRYPT_RULE, scryptCost, scryptWork } from '../password-work/scrypt-work.ts'
import { decodePaddedBase64, isSameBytes } from './hash-text.ts'

const TEXT =
  /^\$fbscrypt\$v=1,n=([1-9]\d?),r=([1-9]\d?),p=([1-9]\d?)(?:,ss=([A-Za-z0-9+/]{2,86}={0,2}))?,sk=([A-Za-z0-9+/]{22,172}={0,2})\$([A-Za-z0-9+/]{2,86}={0,2})\$([A-Za-z0-9+/]{22,172}={0,2})$/

const KEY_BYTES = 32
/** Of the counter, from zero. */
const COUNTER = Buffer.alloc(16)

export const firebaseScrypt: PasswordScheme = {
  rule: `scrypt of Firebase ($fbscrypt$v=1,n=…,r=…,p=…,ss=…,sk=…$, ${SCRYPT_RULE})`,
  work: scryptWork,

  parse(text) {
    const [, log2, r, p, separatorText = '', keyText = '', saltText = '', hashText = ''] =
      TEXT.exec(text) ?? []
    const parameters = { N: 2 ** Number(log2), r: Number(r), p: Number(p) }
    const cost = scryptCost(parameters)
    const [separator, signerKey, ownSalt, hash] = [separatorText, keyText, saltText, hashText].map(
      decodePaddedBase64,
    )
    if (!cost || !separator || !signerKey || !ownSalt || !hash) return undefined
    if (hash.length !== signerKey.length) return undefined
    const salt = Buffer.concat([ownSalt, separator])
    const input = { ...parameters, salt, hashBytes: KEY_BYTES }
    return {
      cost,
      async matches(password) {
        const key = await deriveScrypt(password, input)
        const made = createCipheriv('aes-256-ctr', key, COUNTER).update(signerKey)
        return isSameBytes(made, hash)
      },
    }
  },
}
