// Every regular expression of the code either takes time in proportion to its input, which is tried
// here with the inputs that would make it not, or never sees anything from outside. A pattern that is
// in neither list fails this test: whoever writes one says what it would choke on.

import { test } from 'tap'
import { isLinear, measureGrowth } from './doubling.ts'
import { findPatterns } from './source-patterns.ts'

/** What is sent: a beginning, what is repeated, an end that makes the match fail late. */
type Attack = readonly [start: string, pump: string, end: string]

/** By the pattern as it is written. */
const TRIED: Readonly<Record<string, readonly Attack[]>> = {
  // Names, ids and lists of requests.
  '/^c_[A-Za-z0-9_-]{22}$/': [['c_', '_', '!']],
  '/^[a-z][a-z0-9-]{1,62}$/': [['a', '-', '!']],
  '/^[\\x21-\\x7e]{1,128}$/': [['', 'a', ' ']],
  '/^[\\x20-\\x7e]{32,1024}$/': [['', 'a', '\u00e9']],
  '/^[A-Za-z_]\\w{0,39}$/': [['', 'a', '!']],
  '/^[\\x21-\\x7e]{1,512}$/': [['', 'a', ' ']],
  '/^[\\x21-\\x7e]+$/': [['', 'a', ' ']],
  '/^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$/': [['', 'a', '"']],
  '/^([a-z][a-z0-9-]{1,62}):[\\x21-\\x7e]+$/': [
    ['a', '-', '!'],
    ['aa:', ':', ' '],
  ],
  '/^[\\x21-\\x7e]{1,256}$/': [['', 'a', ' ']],
  '/^spiffe:\\/\\/[a-z0-9._-]{1,255}$/': [['spiffe://', '.', '!']],
  '/^(?:\\/[A-Za-z0-9._-]+)+$/': [
    ['', '/a', '!'],
    ['/', 'a', '!'],
  ],
  '/^[\\w-]{1,64}$/': [['', 'a', '!']],
  '/[?#@]/': [['', 'a', '']],
  '/[:/]/': [['', 'a', '']],
  '/[:/\\\\%*]/': [['', 'a', '']],
  '/^\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,9})?)?(Z|[+-]\\d\\d:\\d\\d))?$/': [
    ['', '0', '!'],
    ['2026-01-01T00:00:00.', '0', '!'],
  ],
  '/^\\d{1,3}$/': [['', '0', '!']],
  '/^\\d{6}$/': [['', '0', '!']],
  '/[ -]/g': [
    ['', '-', ''],
    ['', 'a', ''],
  ],
  '/[il]/g': [
    ['', 'l', ''],
    ['', 'a', ''],
  ],
  '/^[0-9a-hjkmnp-tv-z]{16}$/': [['', 'a', '!']],
  '/^(\\d{1,15}) ([\\x21-\\x7e]{1,128})$/': [
    ['', '0', ' '],
    ['0 ', 'a', ' '],
  ],
  '/^[A-Za-z0-9:._-]{1,64}$/': [['', '.', '!']],
  '/^[\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N}._-]{0,63}$/u': [
    ['', 'a', '!'],
    ['', '\u00e9', '!'],
    ['a', '.', '!'],
  ],
  '/^[^\\s@\\p{Cc}\\p{Cf}\\p{Cs}]+@[^\\s@\\p{Cc}\\p{Cf}\\p{Cs}]+$/u': [
    ['', 'a', ''],
    ['a@', 'a', '@'],
    ['', '@', 'a'],
    ['', 'a@', ' '],
  ],
  '/[\\p{Script=Cherokee}\\u0131]+/u': [
    ['', '\u0131', ''],
    ['', 'a', ''],
  ],
  '/[\\p{Script=Cherokee}\\u0131]+|[^\\p{Script=Cherokee}\\u0131]+/gu': [
    ['', '\u0131', ''],
    ['', 'a\u0131', ''],
  ],
  '/[^\\u0131]+/gu': [
    ['', 'a', ''],
    ['', 'a\u0131', ''],
  ],
  '/\\p{Cs}/u': [['', '\u{1f600}', '']],
  '/^(?:(\\d{1,4})\\1+|([a-z])\\2+)$/': [
    ['', '1', 'a'],
    ['', '12', '1'],
    ['', 'a', '1'],
  ],
  '/[^\\p{L}\\p{M}\\p{N}]+/u': [
    ['', '.', ''],
    ['', 'a.', ''],
  ],
  '/["\\p{Cc}]/u': [['', 'a', '']],
  '/[\\p{Cc}\\p{Cs}]/u': [['', '\u{1f600}', '']],
  '/^[^\\s\\p{Cc}\\p{Cs}]+$/u': [['', 'a', ' ']],
  '/^https?:\\/\\/[\\w.:[\\]-]+$/': [['https://', 'a.', '/']],
  '/^[a-z][a-z0-9+.-]*:[\\x21\\x24-\\x3b\\x3d\\x3f-\\x5b\\x5d\\x5f\\x61-\\x7a\\x7e]+$/i': [
    ['', 'a', '!'],
    ['', 'a:', ' '],
    ['', ':', ' '],
  ],
  '/^\\w{1,64}$/': [['', 'a', '!']],
  // Headers and targets.
  '/^(?:bearer|dpop) +([\\w.~+/-]+=*) *$/i': [
    ['bearer', ' ', '!'],
    ['bearer ', 'a', '!'],
    ['dpop a', '=', '!'],
    ['dpop a', ' ', '!'],
    ['', 'bearer ', '!'],
  ],
  '/^(?:bearer|dpop)\\b/i': [['', 'bearer', '']],
  '/^dpop\\b/i': [['', 'dpop', '']],
  '/%[0-9a-f]{2}/gi': [
    ['', '%', ''],
    ['', '%4', ''],
    ['', '%41', ''],
  ],
  '/^W\\//': [['', 'W/', '']],
  '/websocket/i': [
    ['', 'websocke', ''],
    ['', 'w', ''],
  ],
  '/^https?:\\/\\/[^/?#]*/i': [['http://', 'a', '']],
  '/^for=/i': [['', 'for=', '']],
  '/^"(.*)"$/': [
    ['"', 'a', ''],
    ['', '"', 'a'],
  ],
  '/^\\[([^\\]]*)\\](?::\\d{1,5})?$/': [
    ['[', 'a', ''],
    ['[]:', '1', ''],
  ],
  '/^([\\d.]+):\\d{1,5}$/': [
    ['', '1.', ''],
    ['1:', '1', ''],
  ],
  '/%[\\w.~-]{1,16}$/': [
    ['', '%', ''],
    ['', 'a', ''],
    ['', '%aaaaaaaaaaaaaaaa', '!'],
  ],
  '/^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/': [['::ffff:', 'f', '']],
  "/^\\/[A-Za-z0-9._~!$&'()*+,=:@/-]*$/": [['/', 'a', '%']],
  "/^\\/(?:[A-Za-z0-9._~!$&'()*+,=:@/-]|%(?:[0189A-F][0-9A-F]|20|22|25|3C|3E|5E|60|7[BCDF]))*$/": [
    ['/', 'a', '%'],
    ['/', '%00', '%'],
    ['/', '%', ''],
  ],
  '/\\/(?:\\/|\\.{1,2}(?:\\/|$))/': [
    ['', '/a', ''],
    ['', '/..', 'a'],
    ['/', '.', ''],
  ],
  '/^[\\w.:-]{1,128}$/': [['', 'a', '!']],
  '/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/': [
    ['00-', '0', ''],
    ['00-', 'a', '-'],
  ],
  '/^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/': [
    ['00-', '0', ''],
    ['00-', 'a', '-'],
    [`01-${'a'.repeat(32)}-${'b'.repeat(16)}-01-`, 'x', '\n'],
  ],
  '/^(?:capacitor|ionic|tauri|chrome-extension|moz-extension|safari-web-extension):\\/\\/[A-Za-z0-9.-]+$/':
    [['ionic://', 'a.', '/']],
  // Certificates: the header of a proxy, and the names that a client may have.
  '/^:([A-Za-z0-9+/]+={0,2}):$/': [
    [':', 'A', ''],
    [':', '=', ''],
  ],
  '/^-----BEGIN CERTIFICATE-----\\n([A-Za-z0-9+/\\n]+={0,2})\\n-----END CERTIFICATE-----\\n?$/': [
    ['-----BEGIN CERTIFICATE-----\n', '\n', ''],
    ['-----BEGIN CERTIFICATE-----\n', 'A\n', '-'],
    ['', '-----BEGIN CERTIFICATE-----\n', ''],
  ],
  '/.{4}/g': [['', 'a', '']],
  '/^[0-2](?:\\.(?:0|[1-9]\\d{0,15})){1,16}$/': [
    ['2', '.5', '!'],
    ['2.', '1', '!'],
  ],
  '/^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\\.[A-Za-z0-9_-]{1,63})*$/': [
    ['', 'a', ''],
    ['a', '.a', '!'],
    ['a', '-', '.'],
  ],
  '/^[A-Za-z][A-Za-z0-9+.-]*:[\\x21-\\x7e]+$/': [
    ['', 'a', '!'],
    ['', 'a:', ' '],
    ['', ':', ' '],
  ],
  '/^[\\x21-\\x3f\\x41-\\x7e]{1,64}@([A-Za-z0-9.-]{1,253})$/': [
    ['', 'a', '@'],
    ['a@', 'a', '!'],
  ],
  // Imported lines.
  '/\\r?\\n/': [
    ['', '\r', ''],
    ['', '\n', ''],
  ],
  '/^\\$argon2(id|i|d)\\$v=19\\$([a-z0-9=,]{11,32}?)(?:,keyid=([A-Za-z0-9+/]{2}))?\\$([A-Za-z0-9+/]{11,86})\\$([A-Za-z0-9+/]{22,86})$/':
    [
      ['$argon2id$v=19$', 'a', ''],
      ['$argon2id$v=19$m=65536,t=3,p=4$', 'A', '='],
      ['$argon2id$v=19$', ',keyid=qw', ''],
      ['', '$argon2id$v=19$', ''],
    ],
  '/^\\$2[aby]\\$(\\d\\d)\\$([./A-Za-z0-9]{21}[.Oeu])([./A-Za-z0-9]{30}[.CGKOSWaeimquy26])$/': [
    ['$2b$12$', '.', '!'],
    ['', '$2b$12$', ''],
  ],
  '/^pbkdf2_(sha1|sha256|sha512)\\$([1-9]\\d{0,6})\\$([\\x21-\\x23\\x25-\\x7e]{1,128})\\$([A-Za-z0-9+/]{27,86}={1,2})$/':
    [
      ['pbkdf2_sha256$1$', 'a', '$'],
      ['pbkdf2_sha256$1$a$', 'A', '!'],
      ['pbkdf2_sha256$1$a$', '=', 'A'],
    ],
  '/^scrypt\\$([1-9]\\d{0,6})\\$([\\x21-\\x23\\x25-\\x7e]{1,128})\\$([1-9]\\d?)\\$([1-9]\\d?)\\$([A-Za-z0-9+/]{86}==)$/':
    [
      ['scrypt$1$', 'a', '$'],
      ['scrypt$1$a$8$1$', 'A', '!'],
    ],
  '/^\\$fbscrypt\\$v=1,n=([1-9]\\d?),r=([1-9]\\d?),p=([1-9]\\d?)(?:,ss=([A-Za-z0-9+/]{2,86}={0,2}))?,sk=([A-Za-z0-9+/]{22,172}={0,2})\\$([A-Za-z0-9+/]{2,86}={0,2})\\$([A-Za-z0-9+/]{22,172}={0,2})$/':
    [
      ['$fbscrypt$v=1,n=14,r=8,p=1,ss=', 'A', '!'],
      ['$fbscrypt$v=1,n=14,r=8,p=1,sk=', 'A', '!'],
      ['$fbscrypt$v=1,n=14,r=8,p=1,sk=AAAAAAAAAAAAAAAAAAAAAA==$', '=A', ''],
    ],
  '/^\\$pbkdf2(?:-(sha256|sha512))?\\$([1-9]\\d{0,6})\\$([./A-Za-z0-9]{0,86})\\$([./A-Za-z0-9]{27,86})$/':
    [
      ['$pbkdf2-sha256$1$', '.', '!'],
      ['$pbkdf2-sha256$1$$', '.', '!'],
    ],
  '/^\\$scrypt\\$ln=([1-9]\\d?),r=([1-9]\\d?),p=([1-9]\\d?)\\$([A-Za-z0-9+/]{0,86})\\$([A-Za-z0-9+/]{22,86})$/':
    [
      ['$scrypt$ln=1,r=8,p=1$', 'A', '!'],
      ['$scrypt$ln=1,r=8,p=1$$', 'A', '!'],
    ],
  '/^\\$6\\$(?:rounds=([1-9]\\d{0,6})\\$)?([./0-9A-Za-z]{1,16})\\$([./0-9A-Za-z]{85}[./01])$/': [
    ['$6$', '.', '!'],
    ['$6$a$', '.', '!'],
    ['$6$', 'rounds=1$', ''],
  ],
  '/^scrypt:([1-9]\\d{0,6}):([1-9]\\d?):([1-9]\\d?)\\$([\\x21-\\x23\\x25-\\x7e]{1,128})\\$([0-9a-f]{128})$/':
    [
      ['scrypt:1:8:1$', 'a', '$'],
      ['scrypt:1:8:1$a$', '0', 'g'],
    ],
  '/^([mtp])=([1-9]\\d{0,6})$/': [['m=', '1', '!']],
  '/[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}]/gu': [
    ['', '\u202e', ''],
    ['', 'a', ''],
  ],
  '/^application\\//': [['', 'application/', '']],
  // Addresses of webhooks.
  '/^[^\\s\\p{Cc}\\p{Cs}]*$/u': [['', 'a', ' ']],
  '/^\\d{1,9}$/': [['', '0', '!']],
  '/^[A-Z][a-z]{2}, \\d{2} [A-Z][a-z]{2} \\d{4} \\d{2}:\\d{2}:\\d{2} GMT$/': [
    ['Mon, ', '0', ''],
    ['', 'Mon, ', ''],
  ],
  '/^https?:$/': [['http', 's', ':']],
  '/^\\[(.*)\\]$/': [
    ['[', ']', 'a'],
    ['', '[', ']a'],
  ],
  // Addresses of mails.
  '/^[^\\s@\\p{C}\\p{Z}"(),:;<>[\\\\\\]]{1,64}@[\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N}.-]{0,252}$/u': [
    ['', 'a', ''],
    ['a@', 'a', '!'],
    ['', 'a@', 'a'],
  ],
  // What errors say may repeat what somebody sent.
  '/["\'`\\n]/': [['', 'a', '']],
  '/^[\\w./:@*+-]{1,200}$/': [['', 'a', '!']],
  '/^\\s+at .*:\\d+:\\d+\\)?$/': [
    ['', ' ', ''],
    [' at ', ':1', '!'],
    [' at ', '1', '!'],
    [' at :', '1', '!'],
    ['', ' at ', ''],
  ],
}

/** By the beginning of the file's name: what its patterns are given, which is not from outside. */
const WITHIN: Readonly<Record<string, string>> = {
  'packages/conformance/': 'what another service answers to the operator who examines it',
  'embedded/': 'files and processes of this machine',
  'config/': 'the environment of the process',
  'wiring/open-service.ts': 'the issuer, of the environment',
  'dpop/proof-target.ts /[\\w.~-]/': 'one character',
  'http/verify/verify-target.ts': 'the issuer, of the environment',
  'http/server/api-files.ts': 'our own files, and the issuer, of the environment',
  'http/server/index-route.ts': 'our own routes',
  'mail/mail-templates.ts': 'templates of the operator, and a user name and a link',
  'database/': 'codes and messages of our own database',
  'wiring/open-family-store.ts': 'messages of our own Redis',
  'redis/redis-failure.ts': 'messages of our own Redis',
  'families/redis/redis-slot.ts': 'what our own Redis says of its cluster',
  'redis/redis-server-check.ts': 'what our own Redis says of itself',
  'oauth/oauth-error.ts': 'our own descriptions',
  'runtime/native-packages.ts': 'what the loader says of our own packages',
  'users/password-schemes/hash-text.ts /=+$/': 'the base64 of at most 66 bytes',
  'users/password-work/argon2-work.ts': 'names of our own',
  'ops/log-format.ts /T(': 'the time of our own line',
  'ops/logger.ts /[-_]/g': 'names of fields',
  'ops/logger.ts /password|': 'names of fields',
  'ops/logger.ts new RegExp': 'lines of the log: tried with those in readers.test.ts',
  'cli/add-command.ts': 'arguments of the command',
  'cli/command-output.ts /[A-Z]/g': 'names of our own members',
  'cli/program.ts': 'arguments of the command',
  'cli/doctor/': 'what our own servers and our own public address answer, bounded in length',
  'cli/top/': 'what the service answers that is looked at, bounded in size, and numbers of our own',
  'cli/drill/': 'names of keys in our own Redis',
}

const SIZE = 4_096

function isWithin(place: string): boolean {
  return Object.keys(WITHIN).some((start) => place.startsWith(start))
}

test('every pattern is tried, or is given nothing from outside', async (t) => {
  const found = findPatterns()
  const places = found.map(({ file, text }) => `${file} ${text}`)
  const unknown = found
    .filter(({ text }, index) => !TRIED[text] && !isWithin(places[index] ?? ''))
    .map(({ file, text }) => `${file} ${text}`)
  t.strictSame(unknown, [], 'patterns that are in neither list')
  const texts = new Set(found.map(({ text }) => text))
  t.strictSame(
    Object.keys(TRIED).filter((text) => !texts.has(text)),
    [],
    'patterns that nobody uses any more',
  )
  t.strictSame(
    Object.keys(WITHIN).filter((start) => !places.some((place) => place.startsWith(start))),
    [],
    'places without a pattern',
  )
})

test('a pattern that is not linear is seen to be so', async (t) => {
  const blanks = /[ \t]+$/
  const { large, most } = await measureGrowth(1024, (size) => blanks.test(`${' '.repeat(size)}a`))
  t.ok(large > most, `${large.toFixed(2)} ms of at most ${most.toFixed(2)} ms`)
})

for (const [text, attacks] of Object.entries(TRIED)) {
  test(`${text} takes time in proportion to its input`, async (t) => {
    const end = text.lastIndexOf('/')
    const pattern = new RegExp(text.slice(1, end), text.slice(end + 1))
    for (const [start, pump, tail] of attacks) {
      const what = JSON.stringify([start, pump, tail])
      await isLinear(t, what, SIZE, (size) => {
        pattern.lastIndex = 0
        const input = `${start}${pump.repeat(Math.ceil(size / pump.length))}${tail}`
        if (pattern.global) input.replaceAll(pattern, '')
        else pattern.test(input)
      })
    }
  })
}
