// One-time codes against the vectors of RFC 6238 and RFC 4226, another implementation, and oathtool.

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { Secret, TOTP, URI } from 'otpauth'
import { test } from 'tap'
import { encodeBase32 } from '../../src/factors/base32.ts'
import { findStep, oneTimeCode, otpauthUri, readCode, stepAt } from '../../src/factors/totp.ts'

const RFC_SECRET = Buffer.from('12345678901234567890')
const STEP_MS = 30_000

test('the codes of RFC 6238, Appendix B, for SHA-1', async (t) => {
  const vectors: Readonly<Record<number, string>> = {
    59: '94287082',
    1111111109: '07081804',
    1111111111: '14050471',
    1234567890: '89005924',
    2000000000: '69279037',
    20000000000: '65353130',
  }
  for (const [seconds, code] of Object.entries(vectors)) {
    const step = stepAt(Number(seconds) * 1000)
    t.equal(oneTimeCode(RFC_SECRET, step, 8), code, seconds)
    t.equal(oneTimeCode(RFC_SECRET, step), code.slice(2), `${seconds}, six digits`)
  }
})

test('the codes of RFC 4226, Appendix D', async (t) => {
  const codes = '755224 287082 359152 969429 338314 254676 287922 162583 399871 520489'.split(' ')
  t.strictSame(
    codes.map((_, counter) => oneTimeCode(RFC_SECRET, counter)),
    codes,
  )
})

// oathtool --totp --now=@SECONDS HEX, of oath-toolkit 2.6
const OATHTOOL: readonly (readonly [hex: string, seconds: number, code: string])[] = [
  ['6004754a25a690b32fd7ad377b18bdb61a2c5380', 0, '689925'],
  ['5771951f745e3d2b07d101a9f63c2bc74e65d0c7', 29, '709158'],
  ['a395314df0f3d3e807041726022bae0e3cece072', 30, '127304'],
  ['bccc71b973f61e97c82ebef8bf9f5d715132c883', 1111111111, '928545'],
  ['086846741d5afd590309814c675239a2c81a47ec', 1764460800, '269026'],
  ['7b0a8437414b940c419d6d6a58a340c00b748850', 4102444799, '270960'],
  ['e78df332462a809feca41b4f460dd48ed0a8c390', 2147483648, '412364'],
  ['ca5d112d12e28611303f655774819de26ff8cabe', 4294967296, '745948'],
]

test('the codes of oathtool', async (t) => {
  for (const [hex, seconds, code] of OATHTOOL) {
    t.equal(oneTimeCode(Buffer.from(hex, 'hex'), stepAt(seconds * 1000)), code)
  }
})

const hasOathtool = spawnSync('oathtool', ['--version']).status === 0

test('oathtool agrees on random secrets and moments', {
  skip: hasOathtool ? false : 'oathtool is not installed here',
}, async (t) => {
  for (let i = 0; i < 20; i += 1) {
    const secret = randomBytes(20)
    const seconds = randomBytes(4).readUInt32BE()
    const at = `--now=@${seconds}`
    const { stdout } = spawnSync('oathtool', ['--totp', at, '-b', encodeBase32(secret)])
    t.equal(stdout.toString().trim(), oneTimeCode(secret, stepAt(seconds * 1000)))
  }
})

test('another implementation reads the URI and shows the same codes', async (t) => {
  for (let i = 0; i < 50; i += 1) {
    const secret = randomBytes(20)
    const ms = randomBytes(4).readUInt32BE() * 1000
    const totp = URI.parse(otpauthUri(secret, 'auth.example.test', 'Zoë.O-Neil_1'))
    t.ok(totp instanceof TOTP)
    t.match(totp, { issuer: 'auth.example.test', label: 'Zoë.O-Neil_1', period: 30, digits: 6 })
    t.equal(totp.algorithm, 'SHA1')
    t.equal(totp.secret.hex.toLowerCase(), secret.toString('hex'))
    t.equal(encodeBase32(secret), new Secret({ buffer: Uint8Array.from(secret).buffer }).base32)
    if (totp instanceof TOTP) {
      t.equal(totp.generate({ timestamp: ms }), oneTimeCode(secret, stepAt(ms)))
    }
  }
})

test('a code is good in its step and one to either side (RFC 6238 §5.2)', async (t) => {
  const secret = randomBytes(20)
  const nowMs = 1_700_000_000_000
  const now = stepAt(nowMs)
  for (const away of [-1, 0, 1]) {
    t.equal(findStep(secret, oneTimeCode(secret, now + away), nowMs), now + away, `${away}`)
  }
  const near = [-1, 0, 1].map((away) => oneTimeCode(secret, now + away))
  for (const away of [-3, -2, 2, 3]) {
    const code = oneTimeCode(secret, now + away)
    if (!near.includes(code)) t.equal(findStep(secret, code, nowMs), undefined, `${away}`)
  }
  t.equal(findStep(secret, oneTimeCode(secret, now), nowMs + STEP_MS), now, 'a step later')
  t.equal(findStep(secret, '', nowMs), undefined)
  t.equal(findStep(secret, oneTimeCode(secret, 0), 0), 0, 'there is no step before the first')
})

test('a code is six digits, in groups or not', async (t) => {
  t.strictSame(['123456', '123 456', ' 12 34 56 '].map(readCode), Array(3).fill('123456'))
  for (const text of ['', '12345', '1234567', '12345a', '١٢٣٤٥٦', '123456\n', '1'.repeat(10_000)]) {
    t.equal(readCode(text), undefined)
  }
})

test('bytes that would need padding have no text', async (t) => {
  t.throws(() => encodeBase32(Buffer.alloc(4)), RangeError)
  t.equal(encodeBase32(Buffer.from('foobarfoob')), 'MZXW6YTBOJTG633C')
})
