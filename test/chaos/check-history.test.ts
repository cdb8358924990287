// The checker: a history with a planted violation is found, and what only looks like one is not.

import { test } from 'tap'
import { checkHistory } from './check-history.ts'
import type { FaultSpan, History, Operation } from './history.ts'

const GRACE_MS = 2_000

function operation(
  name: Operation['name'],
  atMs: number,
  more: Partial<Operation> = {},
): Operation {
  return {
    name,
    user: 'anna',
    session: 's1',
    instance: 0,
    startMs: atMs,
    endMs: atMs + 10,
    status: 200,
    ...more,
  }
}

function login(atMs: number, session = 's1', more: Partial<Operation> = {}): Operation {
  const { session: _, ...made } = operation('login', atMs, more)
  return { ...made, got: { session, generation: 0, digest: `${session}-0` } }
}

function refreshed(atMs: number, generation: number, more: Partial<Operation> = {}): Operation {
  const session = more.session ?? 's1'
  const next = generation + 1
  const got = { session, generation: next, digest: `${session}-${next}` }
  return operation('refresh', atMs, { generation, got, ...more })
}

const refused = (atMs: number, generation: number, more: Partial<Operation> = {}) =>
  operation('refresh', atMs, { generation, status: 400, error: 'invalid_grant', ...more })

const unanswered = (atMs: number, generation: number, more: Partial<Operation> = {}) =>
  operation('refresh', atMs, { generation, status: 503, endMs: atMs + 1_000, ...more })

function rulesOf(operations: Operation[], more: Partial<History> = {}): string[] {
  const history = {
    graceMs: GRACE_MS,
    calm: [],
    faults: [],
    alarms: [],
    unserved: [],
    ...more,
    operations,
  }
  return checkHistory(history).map(({ rule }) => rule)
}

const freeze: FaultSpan = {
  name: 'freeze',
  beginMs: 1_500,
  endMs: 9_000,
  servedMs: 0,
  overMs: 9_000,
  silent: [0, 1, 2],
}

const innocent: Record<string, [Operation[], Partial<History>?]> = {
  'a session that is refreshed': [[login(0), refreshed(100, 0), refreshed(200, 1)]],
  'a retry within the grace': [[login(0), refreshed(100, 0), refreshed(900, 0), refreshed(999, 1)]],
  'an outage': [[login(0), unanswered(2_000, 0, { status: 0 }), refreshed(3_100, 0)]],
  'a revocation': [[login(0), operation('revoke', 100), refused(200, 0)]],
  'a revocation that may have happened': [
    [login(0), operation('revoke', 100, { status: 503 }), refused(200, 0)],
  ],
  'a use at the same time as the revocation': [
    [login(0), operation('revoke', 100, { endMs: 500 }), refreshed(300, 0), refused(600, 1)],
  ],
  'a theft': [
    [
      login(0),
      refreshed(10, 0),
      refreshed(30, 1),
      operation('replay', 50, { status: 400 }),
      refused(80, 2),
    ],
    { alarms: ['s1'] },
  ],
  'a login after the others were logged out': [
    [
      login(0),
      operation('logOutAll', 100, { status: 204 }),
      login(200, 's2'),
      refreshed(300, 0, { session: 's2' }),
    ],
  ],
  'a login of a disabled user': [
    [
      operation('disable', 0),
      operation('login', 100, { status: 400 }),
      operation('enable', 200),
      login(300),
    ],
  ],
  'an answer that was lost longer ago than the grace': [
    [login(0), unanswered(1_000, 0), refused(5_000, 0)],
    { alarms: ['s1'] },
  ],
}

const failover: FaultSpan = {
  name: 'failOver',
  beginMs: 1_000,
  endMs: 1_500,
  servedMs: 0,
  overMs: 2_000,
  silent: [],
  loss: { fromMs: 1_000, toMs: 2_000, isSplit: true },
}
const robbed = (atMs: number) => refreshed(atMs, 0, { name: 'replay' })
innocent['a theft that a failover has made everybody forget'] = [
  [login(0), refreshed(10, 0), refreshed(990, 1), robbed(2_100), refreshed(2_500, 2)],
  { faults: [failover] },
]

const emptied: FaultSpan = { ...failover, name: 'emptyRedis', loss: { fromMs: 1_000, toMs: 2_000 } }
const forgetful = (loginsBeforeMs: number): FaultSpan => ({
  ...emptied,
  loss: { fromMs: 1_000, toMs: 2_000, loginsBeforeMs },
})
innocent['a login that the journal has no more when Redis is emptied'] = [
  [login(0), refreshed(10, 0), refused(2_100, 1)],
  { faults: [forgetful(1_200)] },
]
innocent['a session that an old master serves after its end'] = [
  [login(0), operation('revoke', 1_500), refreshed(1_600, 0), refused(2_100, 1)],
  { faults: [failover] },
]
innocent['two sessions that log each other out'] = [
  [
    login(0),
    login(20, 's2'),
    operation('logOutOthers', 100, { status: 204 }),
    operation('logOutOthers', 101, { status: 204, session: 's2' }),
    refused(200, 0),
    refused(300, 0, { session: 's2' }),
  ],
]
innocent['a login while the others are logged out'] = [
  [operation('logOutAll', 0, { status: 204 }), login(5, 's1'), refreshed(100, 0)],
]

for (const [name, [operations, more]] of Object.entries(innocent)) {
  test(`no violation: ${name}`, async (t) => {
    t.strictSame(rulesOf(operations, more), [])
  })
}

const guilty: Record<string, [string[], Operation[], Partial<History>?]> = {
  'an error of ours': [['unexpected_status'], [login(0), operation('verify', 10, { status: 500 })]],
  'two successors of one generation': [
    ['two_successors'],
    [
      login(0),
      refreshed(100, 0),
      refreshed(200, 0, { got: { session: 's1', generation: 1, digest: 'other' } }),
    ],
  ],
  'a generation that was left out': [
    ['not_linearizable'],
    [login(0), refreshed(100, 0, { got: { session: 's1', generation: 2, digest: 'x' } })],
  ],
  'a token whose successor was used': [
    ['not_linearizable'],
    [login(0), refreshed(100, 0), refreshed(200, 1), refreshed(300, 0)],
  ],
  'a token after its grace': [
    ['not_linearizable'],
    [login(0), refreshed(100, 0), refreshed(3_000, 0)],
  ],
  'a theft that was served': [
    ['not_linearizable'],
    [login(0), refreshed(10, 0), refreshed(30, 1), refreshed(50, 0, { name: 'replay' })],
  ],
  'a session after its revocation': [
    ['not_linearizable'],
    [login(0), operation('revoke', 100), refreshed(200, 0)],
  ],
  'an access token after a logout of all': [
    ['not_linearizable'],
    [login(0), operation('logOutAll', 100, { status: 204 }), operation('verify', 200)],
  ],
  'a session of a disabled user, of another actor': [
    ['not_linearizable'],
    [login(0), login(5, 's2'), operation('disable', 100), refreshed(200, 0, { session: 's2' })],
  ],
  'a session after a theft was seen': [
    ['not_linearizable'],
    [
      login(0),
      refreshed(10, 0),
      refreshed(30, 1),
      operation('replay', 50, { status: 400 }),
      refreshed(80, 2),
    ],
  ],
  'a session that is refused for nothing': [['not_linearizable'], [login(0), refused(100, 0)]],
  'a session that logged the others out twice at once': [
    ['not_linearizable'],
    [
      login(0),
      operation('logOutOthers', 100, { status: 204 }),
      operation('logOutOthers', 101, { status: 204, instance: 1 }),
      refused(200, 0),
    ],
  ],
  'a login that is refused for nothing': [
    ['not_linearizable'],
    [operation('disable', 0), operation('enable', 100), operation('login', 200, { status: 400 })],
  ],
  'a client that repeated through a freeze': [
    ['not_linearizable', 'false_alarm'],
    [login(0), unanswered(2_000, 0), unanswered(4_000, 0), refused(9_500, 0)],
    { faults: [freeze], alarms: ['s1'] },
  ],
  'an alarm for nothing': [['false_alarm'], [login(0), refreshed(100, 0)], { alarms: ['s1'] }],
  'somebody who is not served again': [['not_served_again'], [], { unserved: ['anna: 503'] }],
}

guilty['a theft after a failover, when the client had come by'] = [
  ['not_linearizable'],
  [login(0), refreshed(10, 0), refreshed(990, 1), refreshed(2_100, 2), robbed(2_500)],
  { faults: [failover] },
]

guilty['a session that an emptied Redis does not know, though the journal has its login'] = [
  ['not_linearizable'],
  [login(0), refreshed(10, 0), refused(2_100, 1)],
  { faults: [emptied] },
]
guilty['a login from after the journal was lost'] = [
  ['not_linearizable'],
  [login(900), refreshed(920, 0), refused(2_100, 1)],
  { faults: [forgetful(800)] },
]
guilty['a session that an emptied Redis has revived'] = [
  ['not_linearizable'],
  [login(0), operation('revoke', 500), refreshed(2_100, 0)],
  { faults: [emptied] },
]
guilty['a session that an old master serves when the failover is over'] = [
  ['not_linearizable'],
  [login(0), operation('revoke', 1_500), refreshed(2_100, 0)],
  { faults: [failover] },
]
guilty['a session that goes on after two were logged out by each other'] = [
  ['not_linearizable'],
  [
    login(0),
    login(20, 's2'),
    operation('logOutOthers', 100, { status: 204 }),
    operation('logOutOthers', 200, { status: 204, session: 's2' }),
  ],
]

for (const [name, [rules, operations, more]] of Object.entries(guilty)) {
  test(`found: ${name}`, async (t) => {
    t.strictSame(rulesOf(operations, more), rules)
  })
}
