// Where redis-server is, and how it comes on the machine when it is not there yet.

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { installDebianPackages } from './debian-packages.ts'

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
  installDebianPackages(['redis-server'])
  return onPath('redis-server')
}
