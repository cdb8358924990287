// JSON of strangers: one reading, or none.

import { test } from 'tap'
import { memberOf, readJsonObject } from '../../src/runtime/strict-json.ts'

const read = (text: string) => readJsonObject(Buffer.from(text))

test('an object is read as JSON says', async (t) => {
  for (const text of [
    '{}',
    ' { "a" : [1, {"a": 2}, "a"], "b": {"a": "a"} } ',
    '{"a":"\\"b\\":","b":"\\\\"}',
    '{"\u00fc":"\ud83d\ude00"}',
    '{"constructor":1,"toString":2}',
    `{"a":${'['.repeat(14)}${']'.repeat(14)}}`,
  ]) {
    t.strictSame(read(text), JSON.parse(text), text)
  }
})

test('what two parsers could read differently is refused', async (t) => {
  for (const text of [
    '{"alg":"none","alg":"ES256"}',
    '{"a":{"b":1,"b":2}}',
    '{"a":[{"b":1,"\\u0062" : 2}]}',
    '{"__proto__":{"iss":"x"}}',
    '{"a":{"\\u005f_proto__":1}}',
    `{"a":${'['.repeat(16)}${']'.repeat(16)}}`,
    '[]',
    'null',
    '"a"',
    '',
    '{"a":1}{"b":2}',
    '\ufeff{}',
    '{"a":1,}',
    "{'a':1}",
  ]) {
    t.equal(read(text), undefined, text)
  }
  t.equal(readJsonObject(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), undefined)
})

test('only members of the object itself are read', async (t) => {
  t.equal(memberOf(read('{"a":1}'), 'a'), 1)
  for (const name of ['constructor', 'toString', '__proto__', 'b']) {
    t.equal(memberOf(read('{"a":1}'), name), undefined, name)
  }
  for (const value of [undefined, null, 'text', 1, ['a']])
    t.equal(memberOf(value, 'length'), undefined)
})
