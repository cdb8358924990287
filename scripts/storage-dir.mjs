// Where the servers of a run of the tests keep their data.

import { accessSync, constants, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'

/** Linux keeps it in memory. */
const MEMORY_DIR = '/dev/shm'
/** Containers have 64 MB there by default, and two hundred databases need more. */
const ROOM_MIN_BYTES = 4 * 2 ** 30

/**
 * A directory in memory where there is room for it, else that of temporary files: every test copies a
 * database, which is many times faster in memory. What was written outlives the server that wrote it.
 */
export function findStorageDir() {
  return hasRoom(MEMORY_DIR) ? MEMORY_DIR : tmpdir()
}

function hasRoom(directory) {
  try {
    accessSync(directory, constants.W_OK)
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize >= ROOM_MIN_BYTES
  } catch {
    return false
  }
}
