// SHA-512 crypt ($6$) as Ulrich Drepper specified it, in a thread of its own: a loop of thousands of
// small hashes, for which Node has no function, would stop everything else on the event loop. Plain
// JavaScript, because a thread loads its file by itself. Each message is one hash to compute.

import { hash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'

const DIGEST_BYTES = 64

const sha512 = (parts) => hash('sha512', Buffer.concat(parts), 'buffer')

/** `bytes` over and over until there are `length`. */
function repeat(bytes, length) {
  return Buffer.alloc(length, length === 0 ? undefined : bytes)
}

/** The digest behind the first one: for each bit of the length of the password, one part more. */
function startDigest(password, salt) {
  const inner = sha512([password, salt, password])
  const parts = [password, salt, repeat(inner, password.length)]
  for (let bits = password.length; bits > 0; bits >>>= 1) parts.push(bits & 1 ? inner : password)
  return sha512(parts)
}

/** What is hashed in a round, with room for the digest of the round before at `at`. */
function roundInput(round, password, salt) {
  const room = Buffer.alloc(DIGEST_BYTES)
  const [first, last] = round % 2 === 1 ? [password, room] : [room, password]
  const middle = [...(round % 3 === 0 ? [] : [salt]), ...(round % 7 === 0 ? [] : [password])]
  const parts = [first, ...middle, last]
  const before = parts.slice(0, parts.indexOf(room))
  return { bytes: Buffer.concat(parts), at: Buffer.concat(before).length }
}

/** The 64 bytes of the last round, not yet in the order in which they are written. */
function sha512Crypt(password, salt, rounds) {
  const started = startDigest(password, salt)
  const passwords = sha512(Array.from({ length: password.length }, () => password))
  const salts = sha512(Array.from({ length: 16 + started[0] }, () => salt))
  const passwordBytes = repeat(passwords, password.length)
  const saltBytes = repeat(salts, salt.length)
  // Which parts a round has repeats after 2 * 3 * 7 rounds.
  const inputs = Array.from({ length: 42 }, (_, round) =>
    roundInput(round, passwordBytes, saltBytes),
  )
  let digest = started
  for (let round = 0; round < rounds; round += 1) {
    const { bytes, at } = inputs[round % 42]
    bytes.set(digest, at)
    digest = hash('sha512', bytes, 'buffer')
  }
  return digest
}

parentPort.on('message', ({ password, salt, rounds }) => {
  parentPort.postMessage(sha512Crypt(Buffer.from(password), Buffer.from(salt), rounds))
})
