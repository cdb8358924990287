// Which addresses are one source (docs/semantics.md §7: IPv4 or IPv6 /64).

import { test } from 'tap'
import { sourceNetwork } from '../../src/runtime/source-network.ts'

test('an IPv4 address is a source of its own, in IPv6 clothes too', async (t) => {
  t.equal(sourceNetwork('192.0.2.1'), '192.0.2.1')
  t.equal(sourceNetwork('::ffff:192.0.2.1'), '192.0.2.1')
})

test('an IPv6 source is its /64, however the address is written', async (t) => {
  const network = '2001:db8:0:1::/64'
  for (const ip of [
    ...['2001:db8:0:1::', '2001:db8:0:1::1', '2001:0DB8:0000:0001:0000:0000:0000:0001'],
    ...['2001:db8:0:1:ffff:ffff:ffff:ffff', '2001:db8:0:1:0:1::', '2001:db8::1:1:2:3:4'],
  ]) {
    t.equal(sourceNetwork(ip), network, ip)
  }
  t.equal(sourceNetwork('::1'), '0:0:0:0::/64')
  t.equal(sourceNetwork('2001:db8::1'), '2001:db8:0:0::/64')
  t.equal(sourceNetwork('1:2:3:4:5:6:7:8'), '1:2:3:4::/64')
})

test('what is no address stays as it is', async (t) => {
  t.equal(sourceNetwork('fe80::1%eth0'), 'fe80:0:0:0::/64', 'a zone is no part of it')
  for (const text of ['', 'unknown', '192.0.2.256', ':::']) t.equal(sourceNetwork(text), text)
})
