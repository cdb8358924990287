// Where redis-server is, and how it comes on the machine when it is not there yet.

import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const POLICY = '/usr/sbin/policy-rc.d'

/** The path of redis-server or valkey-server; installs the former where apt-get may. */
export function findRedisServer(): string {
  const found = onPath('redis-server') ?? onPath('valkey-server') ?? install()
  if (!found) {
    throw new Error('the tests need redis-server (or valkey-server) on PATH: install Redis >= 6.2')
  }
  return found
}

function onPath(name: string): string | undefined {
  const dirs = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/sbin']
  return dirs
    .filter(Boolean)
    .map((dir) => join(dir, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

function install(): string | undefined {
  if (process.getuid?.() !== 0 || !onPath('apt-get')) return undefined
  // Debian starts a service that it installs, unless this file says no (invoke-rc.d(8)).
  const ours = !existsSync(POLICY)
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'redis-server']]) {
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
      spawnSync('apt-get', ['-qq', ...args], { stdio: ['ignore', 'ignore', 'inherit'], env })
    }
  } finally {
    if (ours) rmSync(POLICY, { force: true })
  }
  return onPath('redis-server')
}
