// UUIDs as text and as bytes: what is one, and that both forms are the same id.

import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { isUuid, readUuid, UUID_BYTES, writeUuid } from '../../src/runtime/uuid.ts'

test('text, bytes and text again', (t) => {
  const bytes = Buffer.alloc(UUID_BYTES + 3, 0xee)
  for (const uuid of [randomUUID(), 'ffffffff-ffff-ffff-ffff-ffffffffffff']) {
    t.equal(writeUuid(uuid, bytes, 2), true)
    t.equal(bytes.toString('hex'), `eeee${uuid.replaceAll('-', '')}ee`, 'nothing beside it')
    t.equal(readUuid(bytes, 2), uuid)
  }
  t.end()
})

test('nothing else is a UUID', (t) => {
  const good = '01234567-89ab-4cde-8f01-23456789abcd'
  t.equal(isUuid(good), true)
  for (const at of good.split('').keys()) {
    for (const other of ['g', 'A', '/', ':', '`', '-', '0', ' ', 'é', '\u0130', '\u{1f600}', '']) {
      const text = good.slice(0, at) + other + good.slice(at + 1)
      const isOne = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
      t.equal(isUuid(text), isOne, JSON.stringify(text))
    }
  }
  for (const text of ['', `${good}\n`, ` ${good}`, good.toUpperCase(), good.replaceAll('-', '')]) {
    t.equal(isUuid(text), false, JSON.stringify(text))
  }
  t.end()
})
