// A signal to a server and to all its children, which may have sessions of their own.

import { spawnSync } from 'node:child_process'

/** Parents first, so that none starts another child meanwhile. */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    return
  }
  for (const child of childrenOf(pid)) signalTree(child, signal)
}

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
  return stdout.split('\n').filter(Boolean).map(Number)
}
