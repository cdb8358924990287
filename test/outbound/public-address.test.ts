// Which addresses are asked or sent to without leave: those of the public internet.

import { test } from 'tap'
import { isPublicAddress } from '../../src/outbound/public-address.ts'

test('addresses of the public internet are public', async (t) => {
  for (const address of [
    '1.1.1.1',
    '93.184.215.14',
    '172.15.255.255',
    '172.32.0.1',
    '100.63.0.1',
  ]) {
    t.equal(isPublicAddress(address), true, address)
  }
  for (const address of ['2606:4700::1111', '2a00:1450:4001:80f::200e', '2001:4860:4860::8888']) {
    t.equal(isPublicAddress(address), true, address)
  }
})

test('loopback, private, link-local, shared, multicast and reserved ones are not', async (t) => {
  const addresses = [
    ...['0.0.0.0', '10.0.0.1', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.255.255.254'],
    ...['169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.1', '192.0.2.1'],
    ...['192.168.1.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '240.0.0.1'],
    ...['255.255.255.255', '::', '::1', 'fe80::1', 'fe80::1%lo', 'fc00::1', 'fd12:3456::1'],
    ...['ff02::1', '2001::1', '2001:db8::1', '2002:7f00:1::', '64:ff9b::7f00:1', '100::1'],
    '3fff::1',
  ]
  for (const address of addresses) t.equal(isPublicAddress(address), false, address)
})

test('an IPv4 address in IPv6 clothes is not, and neither is what is no address', async (t) => {
  const texts = ['::ffff:127.0.0.1', '::ffff:1.1.1.1', '::ffff:7f00:1', '::127.0.0.1', '::1.1.1.1']
  for (const text of [...texts, '', 'localhost', '1.1.1', '2130706433', '[2606:4700::1111]']) {
    t.equal(isPublicAddress(text), false, text)
  }
})
