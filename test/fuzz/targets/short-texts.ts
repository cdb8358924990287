// Short texts: origins, scopes and audiences of clients, patterns of subjects, ids, codes that people type,
// addresses of mail.

import { checkLists } from '../../../src/clients/client-lists.ts'
import { findPatternProblem, matchesSubject } from '../../../src/clients/subject-pattern.ts'
import { hashRecoveryCode } from '../../../src/factors/recovery-code.ts'
import { readCode } from '../../../src/factors/totp.ts'
import { isMailable } from '../../../src/mail/mail-address.ts'
import { parseUserId } from '../../../src/users/user-id.ts'
import { type FuzzTarget, holds, isSame, textOf } from '../fuzz-target.ts'

const subject: FuzzTarget = {
  name: 'subject-pattern',
  covers: [
    'src/clients/subject-pattern.ts matchesSubject',
    'src/clients/subject-pattern.ts findPatternProblem',
  ],
  seeds: [
    'repo:org/app:ref:refs/heads/*\nrepo:org/app:ref:refs/heads/main',
    'spiffe://a.test/ns/x/sa/*\nspiffe://a.test/ns/x/sa/b',
    'a\na',
    'repo:*/x:y\nrepo:org/x:y',
    'a:b:c*\na:b:c%2f',
  ],
  tokens: ['*', ':', '/', '%2F', '\\', '\n', 'repo:', 'org/', '\u00a0', ' ', '\u2044'],
  check(input) {
    const [pattern = '', given = ''] = textOf(input).split('\n')
    const isGood = findPatternProblem(pattern) === undefined
    const isMatch = matchesSubject(pattern, given)
    if (!isMatch) return false
    const segments = (text: string) => text.split(/[:/]/)
    isSame(segments(given).length, segments(pattern).length, 'as many segments')
    const differing = segments(pattern).filter((one, index) => one !== segments(given)[index])
    holds(
      differing.length <= 1 && differing.every((one) => one.includes('*')),
      'no other segment differs',
    )
    return isGood
  },
}

const shortTexts: FuzzTarget = {
  name: 'short-texts',
  covers: [
    'src/users/user-id.ts parseUserId',
    'src/factors/totp.ts readCode',
    'src/factors/recovery-code.ts hashRecoveryCode',
    'src/mail/mail-address.ts isMailable',
  ],
  within: ['src/runtime/uuid.ts'],
  seeds: [
    '00112233-4455-4677-8899-AABBCCDDEEFF',
    '123 456',
    '0123-4567-89ab-cdef',
    'a@b.test',
    'a@[1.2.3.4]',
    '"a"@b',
  ],
  tokens: [
    '-',
    ' ',
    '0',
    'o',
    'I',
    'l',
    '@',
    '.',
    '"',
    '<',
    ',',
    '\r\n',
    '\u2028',
    '\u0660',
    '\uff10',
    '\u00e9',
    '\ue001',
  ],
  lengthMax: 400,
  check(input) {
    const text = textOf(input)
    const id = parseUserId(text)
    if (id !== undefined) isSame([parseUserId(id), /^[0-9a-f-]{36}$/.test(id)], [id, true], 'an id')
    const code = readCode(text)
    if (code !== undefined) isSame([code, code.length], [text.replaceAll(' ', ''), 6], 'a code')
    const recovery = hashRecoveryCode('u', text)
    if (recovery)
      isSame(
        hashRecoveryCode('u', text.toUpperCase().replaceAll('-', ''))?.equals(recovery),
        true,
        'a code in another spelling',
      )
    const isAddress = isMailable(text)
    if (isAddress)
      holds(!/[\s<>,;:"()[\]\\]/.test(text) && text.split('@').length === 2, 'one mailbox')
    return id !== undefined || code !== undefined || recovery !== undefined || isAddress
  },
}

const NOTHING: Parameters<typeof checkLists>[0] = {
  grantTypes: [],
  authMethods: [],
  scopes: [],
  defaultScopes: [],
  audiences: [],
  allowedOrigins: [],
  tokenDelivery: 'body',
  accessTokenCookie: false,
}
const CHOICES: Parameters<typeof checkLists>[1] = {
  grants: [],
  authMethods: [],
  signingAlgs: ['ES256'],
}

const lists: FuzzTarget = {
  name: 'client-lists',
  covers: ['src/clients/client-lists.ts checkLists'],
  // A line for each of the three.
  seeds: [
    'https://app.example\na\nhttps://api.test',
    'http://[::1]:8080',
    'capacitor://localhost',
    'https://app.example:443',
    'HTTPS://a',
    'https://*.a.test',
    'null\na"b\na b',
  ],
  tokens: [
    'https://',
    'http://',
    'ionic://',
    ':443',
    ':80',
    ':',
    '/',
    '*',
    '@',
    '?',
    '.',
    '[::1]',
    '\u00e9',
    '%41',
    'null',
    '\n',
    '\u00a0',
    '\ue001',
  ],
  lengthMax: 700,
  check(input) {
    const [origin = '', scope = '', audience = ''] = textOf(input).split('\n')
    const isTaken = (draft: Partial<typeof NOTHING>) =>
      checkLists({ ...NOTHING, ...draft }, CHOICES).length === 0
    const isOrigin = isTaken({ allowedOrigins: [origin] })
    // As a browser writes an origin, so that one compares it by its characters.
    if (isOrigin && /^https?:/.test(origin)) {
      isSame(new URL(origin).origin, origin, 'an origin that was written again')
    }
    if (isOrigin) holds(/^[a-z-]+:\/\/[\w.:[\]-]+$/.test(origin), 'no path and no mark of its own')
    const isScope = isTaken({ scopes: [scope] })
    isSame(isScope, /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/.test(scope), 'a scope by RFC 6749 §3.3')
    const isAudience = isTaken({ audiences: [audience] })
    if (isAudience)
      holds(
        Buffer.from(audience).toString() === audience && audience.trim() === audience,
        'an audience',
      )
    return isOrigin || isScope || isAudience
  },
}

export const SHORT_TEXT_TARGETS: readonly FuzzTarget[] = [lists, subject, shortTexts]
