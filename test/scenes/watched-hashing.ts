// Every password hash that this process computes, with its parameters, at the functions of other
// people that compute them. They are really computed.

import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { Worker } from 'node:worker_threads'
import argon2 from 'argon2'
import bcrypt from 'bcrypt'
import type { Test } from 'tap'

const VARIANTS = ['argon2d', 'argon2i', 'argon2id']

/** In the order in which they were begun; to be emptied by whoever reads it. */
export function watchHashing(t: Test): { readonly costs: string[] } {
  const costs: string[] = []
  const { hash: hashArgon2 } = argon2
  const { hash: hashBcrypt } = bcrypt
  const { pbkdf2, scrypt } = crypto
  const { postMessage } = Worker.prototype
  const restore = () => {
    Object.assign(argon2, { hash: hashArgon2 })
    Object.assign(bcrypt, { hash: hashBcrypt })
    Object.assign(crypto, { pbkdf2, scrypt })
    Object.assign(Worker.prototype, { postMessage })
    syncBuiltinESMExports()
  }
  t.teardown(restore)
  Object.assign(argon2, {
    hash: (...[password, options]: Parameters<typeof hashArgon2>) => {
      const { type = 2, memoryCost: m, timeCost: time, parallelism: p } = options ?? {}
      costs.push(`${VARIANTS[type]} m=${m},t=${time},p=${p}`)
      return hashArgon2(password, options)
    },
  })
  Object.assign(bcrypt, {
    hash: (password: Buffer, salt: string) => {
      costs.push(`bcrypt ${salt.slice(4, 6)}`)
      return hashBcrypt(password, salt)
    },
  })
  Object.assign(crypto, {
    pbkdf2: (...input: Parameters<typeof pbkdf2>) => {
      costs.push(`pbkdf2 ${input[4]} ${input[2]}`)
      return pbkdf2(...input)
    },
    scrypt: (...input: [Buffer, Buffer, number, crypto.ScryptOptions, () => void]) => {
      const { N, r, p } = input[3]
      costs.push(`scrypt ${N},${r},${p}`)
      return scrypt(...input)
    },
  })
  Object.assign(Worker.prototype, {
    postMessage(this: Worker, message: { rounds: number }) {
      costs.push(`sha512-crypt ${message.rounds}`)
      return postMessage.call(this, message)
    },
  })
  syncBuiltinESMExports()
  return { costs }
}
