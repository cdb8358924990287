// The scripts of families: each file of lua/ with the functions that all of them share before it.

import { readFileSync } from 'node:fs'
import { openScript, type RedisScript, type ScriptKind } from '../../redis/redis-script.ts'

/** The script of `lua/<name>.lua`. */
export function loadScript(kind: ScriptKind, name: string): RedisScript {
  return openScript(kind, readLua('family'), readLua(name))
}

function readLua(name: string): string {
  return readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8')
}
