// What an operator is told at the start about a proxy on the same machine.

import { test } from 'tap'
import { listServiceNotices } from '../../src/wiring/service-notices.ts'
import { startApp } from '../support/app.ts'

test('a trusted proxy on this machine may read /metrics, unless they have a port of their own', async (t) => {
  const { service } = await startApp(t)
  const { config } = service
  const isTold = (trustProxy: string[], opsPort?: number) =>
    listServiceNotices({ ...service, config: { ...config, trustProxy, opsPort } }).some((notice) =>
      notice.includes('/metrics'),
    )
  t.ok(isTold(['127.0.0.0/8', '::1/128']))
  t.ok(isTold(['10.0.0.0/8', '::1/128']))
  t.ok(isTold(['0.0.0.0/0']))
  t.notOk(isTold(['127.0.0.0/8'], 9000))
  t.notOk(isTold(['10.0.0.0/8']))
  t.notOk(isTold([]))
})
