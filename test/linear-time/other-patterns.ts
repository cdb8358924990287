// The regular expressions that see what others than callers say: hashes and lines that are imported, webhooks
// and mails, errors. As in request-patterns.ts.

import type { PatternInput } from './pattern-input.ts'

export const HASHES: PatternInput = {
  what: 'hashes of passwords from elsewhere, and lines of a file',
  bound: { bytes: 65_536, where: 'src/cli/read-lines.ts', says: 'LINE_LENGTH_MAX = 64 * 1024' },
  patterns: {
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
  },
}

export const WEBHOOKS: PatternInput = {
  what: 'addresses of webhooks, and what their receivers say',
  bound: {
    bytes: 16_384,
    where: 'src/outbound/open-answer.ts',
    says: 'HEADERS_BYTES_MAX = 16 * 1024',
  },
  patterns: {
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
  },
}

export const MAILS: PatternInput = {
  what: 'addresses of accounts, in mails',
  bound: { bytes: 254, where: 'src/users/user-names.ts', says: 'EMAIL_LENGTH_MAX = 254' },
  patterns: {
    '/^[^\\s@\\p{C}\\p{Z}"(),:;<>[\\\\\\]]{1,64}@[\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N}.-]{0,252}$/u': [
      ['', 'a', ''],
      ['a@', 'a', '!'],
      ['', 'a@', 'a'],
    ],
  },
}

export const ERRORS: PatternInput = {
  what: 'what errors say, which may repeat what somebody sent',
  bound: {
    bytes: 65_536,
    where: 'src/http/server/server-options.ts',
    says: 'JSON_BODY_BYTES_MAX = 64 * 1024',
  },
  patterns: {
    '/["\'`\\n]/': [['', 'a', '']],
    '/^[\\w./:@*+-]{1,200}$/': [['', 'a', '!']],
    '/^\\s+at .*:\\d+:\\d+\\)?$/': [
      ['', ' ', ''],
      [' at ', ':1', '!'],
      [' at ', '1', '!'],
      [' at :', '1', '!'],
      ['', ' at ', ''],
    ],
  },
}
