// Short texts: patterns of subjects, ids, codes that people type, addresses of mail.

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

export const SHORT_TEXT_TARGETS: readonly FuzzTarget[] = [subject, shortTexts]
