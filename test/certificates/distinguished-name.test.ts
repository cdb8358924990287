// Distinguished names mean the same or they do not, however they are written (RFC 4514).

import { test } from 'tap'
import { readCertificateNames } from '../../src/certificates/certificate-names.ts'
import { parseDistinguishedName } from '../../src/certificates/distinguished-name.ts'
import { BMP, IA5, makeSelfSigned, PRINTABLE, type Subject } from '../support/certificates.ts'

const subjectOf = (subject: Subject) =>
  readCertificateNames(makeSelfSigned({ subject }).x509.raw)?.subject

const PLAIN: Subject = [
  ['C', 'DE', PRINTABLE],
  ['O', 'Example, Inc.'],
  ['CN', 'payments'],
]

test('one name in several spellings', async (t) => {
  const name = subjectOf(PLAIN)
  t.type(name, 'string')
  for (const text of [
    'CN=payments,O=Example\\, Inc.,C=DE',
    'cn=payments,o=Example\\2c Inc.,c=DE',
    '2.5.4.3=payments,2.5.4.10=Example\\, Inc.,2.5.4.6=DE',
    'CN=\\70ayments,O=Example\\2C\\20Inc.,C=DE',
    'CN=#0c087061796d656e7473,O=Example\\, Inc.,C=#13024445',
  ]) {
    t.equal(parseDistinguishedName(text), name, text)
  }
  const asPrintable: Subject = [PLAIN[0] as never, PLAIN[1] as never, ['CN', 'payments', PRINTABLE]]
  t.equal(subjectOf(asPrintable), name, 'the type of a string does not count')
  t.equal(subjectOf([PLAIN[0] as never, PLAIN[1] as never, ['CN', 'payments', BMP]]), name)
})

test('other names', async (t) => {
  const name = subjectOf(PLAIN)
  for (const text of [
    'C=DE,O=Example\\, Inc.,CN=payments',
    'CN=payments,O=Example\\, Inc.',
    'CN=payments,O=Example\\, Inc.,C=DE,CN=payments',
    'CN=Payments,O=Example\\, Inc.,C=DE',
    'CN=payments\\ ,O=Example\\, Inc.,C=DE',
    'CN=payments\\00,O=Example\\, Inc.,C=DE',
    'CN=payments+O=Example\\, Inc.,C=DE',
    'OU=payments,O=Example\\, Inc.,C=DE',
    'CN=p\\D0\\B0yments,O=Example\\, Inc.,C=DE',
  ]) {
    const other = parseDistinguishedName(text)
    t.type(other, 'string', text)
    t.not(other, name, text)
  }
  t.not(subjectOf([['O', 'Example,CN=payments']]), parseDistinguishedName('CN=payments,O=Example'))
  t.not(
    subjectOf([
      ['CN', 'a'],
      ['CN', 'b'],
    ]),
    subjectOf([
      ['CN', 'b'],
      ['CN', 'a'],
    ]),
  )
  t.not(
    subjectOf([
      [
        ['CN', 'a'],
        ['O', 'b'],
      ],
    ]),
    subjectOf([
      ['CN', 'a'],
      ['O', 'b'],
    ]),
  )
})

test('attributes of one RDN have no order, and mail and domains are IA5', async (t) => {
  const several: Subject = [
    ['DC', 'example', IA5],
    [
      ['CN', 'a'],
      ['emailAddress', 'a@b.example', IA5],
    ],
  ]
  for (const text of [
    'CN=a+emailAddress=a@b.example,DC=example',
    'emailAddress=a@b.example+CN=a,dc=example',
  ]) {
    t.equal(parseDistinguishedName(text), subjectOf(several), text)
  }
  const greek = parseDistinguishedName('CN=\u03b1\\CE\\B2,O=\u{1f600}')
  t.equal(
    greek,
    subjectOf([
      ['O', '\u{1f600}'],
      ['CN', '\u03b1\u03b2'],
    ]),
  )
})

test('what is no name of RFC 4514', async (t) => {
  for (const text of [
    '',
    'payments',
    'CN=',
    '=payments',
    'CN=payments,',
    ',CN=payments',
    'CN=payments, O=Example',
    'CN = payments',
    'CN= payments',
    'CN=payments ',
    'CN=a;O=b',
    'CN="a"',
    'CN=a<b',
    'CN=a\\',
    'CN=a\\zz',
    'CN=a\\F',
    'CN=\\FF',
    'CN=a\0',
    'CN=\ud800',
    'CN=#',
    'CN=#0c',
    'CN=#0c01',
    'CN=#0c0161ff',
    'CN=#0c016',
    'XX=payments',
    '3.1=a',
    '1.02=a',
    `CN=${'a'.repeat(3_000)}`,
  ]) {
    t.equal(parseDistinguishedName(text), undefined, text.slice(0, 40))
  }
})

test('names that cannot be read in one way are none', async (t) => {
  const { raw } = makeSelfSigned({ subject: [['CN', 'caf\u00e9', IA5]] }).x509
  t.equal(readCertificateNames(raw), undefined, 'an ASCII string that is not ASCII')
  const good = makeSelfSigned({ subject: PLAIN, names: { dns: ['a.example'] } }).x509.raw
  t.ok(readCertificateNames(good))
  for (let length = 0; length < good.length; length += 1) {
    t.doesNotThrow(() => readCertificateNames(good.subarray(0, length)))
  }
})
