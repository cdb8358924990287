// A Lua script and the one command that runs it. Marks the commands that a closed gate holds back,
// because ioredis carries the same command object through every redirection.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Command, type Redis } from 'ioredis'
import { replyCode } from './redis-failure.ts'

export interface RedisScript {
  readonly lua: string
  readonly sha: string
}

/** A whole client, or one connection of it. */
export type CommandSender = Pick<Redis, 'sendCommand'>

/** `gated` waits for the journal to be re-applied; `free` is how that is done. */
export type GateAccess = 'gated' | 'free'

export type RunScript = (
  script: RedisScript,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<unknown>

const gatedCommands = new WeakSet<Command>()

export function isGated(command: Command): boolean {
  return gatedCommands.has(command)
}

/** Reads `lua/<name>.lua` with the shared part before it. */
export function loadScript(name: string): RedisScript {
  const lua = `${readLua('family')}\n${readLua(name)}`
  return { lua, sha: createHash('sha1').update(lua).digest('hex') }
}

/**
 * One round trip; a second one where the server has lost the script, which was not run then.
 * Rejects with the errors of ioredis: callers strip them.
 */
export function scriptRunner(sender: CommandSender, access: GateAccess): RunScript {
  return async (script, keys, args) => {
    const rest = [keys.length, ...keys, ...args]
    try {
      return await sendCommand(sender, 'evalsha', [script.sha, ...rest], access)
    } catch (error) {
      if (replyCode(error) !== 'NOSCRIPT') throw error
      return await sendCommand(sender, 'eval', [script.lua, ...rest], access)
    }
  }
}

/** Sends one command; replies are strings, numbers and lists of them. */
export function sendCommand(
  sender: CommandSender,
  name: string,
  args: (string | number)[],
  access: GateAccess,
): Promise<unknown> {
  const command = new Command(name, args, { replyEncoding: 'utf8' })
  if (access === 'gated') gatedCommands.add(command)
  sender.sendCommand(command)
  return command.promise
}

function readLua(name: string): string {
  return readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8')
}
