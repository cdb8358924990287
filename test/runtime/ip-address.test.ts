// Every way in which proxies, gateways and sockets write an address, and the one in which it is kept.

import { test } from 'tap'
import { parseIpAddress } from '../../src/runtime/ip-address.ts'

const GOOD: Readonly<Record<string, readonly string[]>> = {
  '203.0.113.9': [
    ...['203.0.113.9', '203.0.113.9:51008', ' 203.0.113.9\t', '"203.0.113.9"', '"203.0.113.9:1"'],
    ...['for=203.0.113.9', 'For="203.0.113.9:51008"', '::ffff:203.0.113.9', '::FFFF:cb00:7109'],
    ...['[::ffff:203.0.113.9]:443', '0:0:0:0:0:ffff:203.0.113.9'],
    `${' '.repeat(99)}203.0.113.9${'\t'.repeat(99)}`,
  ],
  '2001:db8::7': [
    ...['2001:db8::7', '[2001:db8::7]', '[2001:db8::7]:443', '2001:DB8:0:0:0:0:0:7'],
    ...['2001:0db8::0007', 'for="[2001:db8::7]:443"', '"[2001:db8::7]"', '2001:db8::7%eth0'],
  ],
  'fe80::1': [
    'fe80::1%eth0',
    '[fe80::1%25eth0]'.replace('%25', '%'),
    'fe80::1%3',
    'FE80:0::1%en-0.1',
  ],
  '2001:db8:0:1:1:1:1:1': ['2001:db8::1:1:1:1:1'],
  '2001:0:0:1::1': ['2001:0:0:1:0:0:0:1'],
  '::': ['::', '0:0:0:0:0:0:0:0'],
  '::1': ['::1', '[::1]:8080'],
  '64:ff9b::c000:221': ['64:ff9b::192.0.2.33'],
}

test('each address has one text', async (t) => {
  for (const [address, texts] of Object.entries(GOOD)) {
    for (const text of texts) t.equal(parseIpAddress(text), address, text)
  }
})

test('what is no address is none', async (t) => {
  for (const text of [
    ...[
      '',
      ' ',
      'unknown',
      '_hidden',
      'localhost',
      'null',
      '-',
      'for=',
      '""',
      '[]',
      '[]:1',
      '%eth0',
    ],
    ...[
      '203.0.113.256',
      '203.0.113',
      '0203.0.113.9',
      '203.0.113.9.1',
      '0xcb.0.113.9',
      '3405803785',
    ],
    ...['203.0.113.9:', '203.0.113.9:x', '203.0.113.9:123456', '203.0.113.9:1:1', '203.0.113.9/32'],
    ...['[203.0.113.9]', '[203.0.113.9]:1', '203.0.113.9%eth0', '203.0.113.9, 203.0.113.8'],
    ...['2001:db8::7]:443', '[2001:db8::7', '[2001:db8::7]443', '[2001:db8::7]:', '2001:db8:::7'],
    ...['2001:db8::7/64', '1:2:3:4:5:6:7:8:9', '::g', 'fe80::1%', `fe80::1%${'a'.repeat(17)}`],
    ...['fe80::1%a b', 'fe80::1%<script>', 'http://203.0.113.9', '203.0.113.9\0', '"203.0.113.9'],
    '203.0.113.9 '.repeat(9),
  ]) {
    t.equal(parseIpAddress(text), undefined, JSON.stringify(text))
  }
})
