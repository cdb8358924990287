// LINEAGE_TRUST_PROXY: which networks may say where a request came from.

import { test } from 'tap'
import { BadValue } from '../../src/config/config-values.ts'
import { parseTrustedProxies } from '../../src/config/trusted-proxies.ts'

test('reads ranges, addresses and the word loopback', async (t) => {
  const lists: Record<string, readonly string[]> = {
    loopback: ['127.0.0.0/8', '::1/128'],
    '10.0.0.0/8': ['10.0.0.0/8'],
    '192.0.2.1': ['192.0.2.1/32'],
    '2001:db8::/32, 10.1.2.3/32,loopback': [
      '2001:db8::/32',
      '10.1.2.3/32',
      '127.0.0.0/8',
      '::1/128',
    ],
    '2001:db8::1': ['2001:db8::1/128'],
    '2001:DB8:0::1/64': ['2001:db8::1/64'],
    '::ffff:10.0.0.0/104': ['10.0.0.0/8'],
    '::ffff:a00:1': ['10.0.0.1/32'],
  }
  for (const [text, expected] of Object.entries(lists)) {
    t.strictSame(parseTrustedProxies(text), expected, text)
  }
})

test('refuses what is no range, and the range that is everyone', async (t) => {
  for (const text of [
    'true',
    '1',
    '*',
    'proxy.example.com',
    'linklocal',
    '10.0.0.0/0',
    '::/0',
    '10.0.0.0/33',
    '::ffff:10.0.0.0/96',
    '::ffff:0:0/64',
    '::/64',
    '::/1',
    '::1/80',
    '::1/129',
    '10.0.0.0/08',
    '10.0.0.0/255.0.0.0',
    '10.0.0/8',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    'fe80::1%eth0',
    '10.0.0.0/8,',
    ',',
    '10.0.0.0/8 10.1.0.0/16',
    Array(65).fill('10.0.0.1').join(),
  ]) {
    t.throws(() => parseTrustedProxies(text), BadValue, text)
  }
})
