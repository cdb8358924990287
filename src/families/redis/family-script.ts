// The scripts of families: each file of lua/ with the functions that all of them share before it.

import { readFileSync } from 'node:fs'
import {
  addingScript,
  changingScript,
  type RedisScript,
  readingScript,
} from '../../redis/redis-script.ts'

/** `lua/<name>.lua`, which only reads. */
export function loadReadingScript(name: string): RedisScript {
  return readingScript(readLua('family'), readLua(name))
}

/** `lua/<name>.lua`, which changes something, on a full server too. */
export function loadChangingScript(name: string): RedisScript {
  return changingScript(readLua('family'), readLua(name))
}

/** `lua/<name>.lua`, which adds something, and is refused as a whole by a full server. */
export function loadAddingScript(name: string): RedisScript {
  return addingScript(readLua('family'), readLua(name))
}

function readLua(name: string): string {
  return readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8')
}
