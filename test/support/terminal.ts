// A program on a terminal of its own, as a person has it: what it shows is read here, keys are typed, the
// window changes its size. The terminal is that of `script`, which every Linux has.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import type { Environment } from './lineage-process.ts'
import type { Scope } from './scope.ts'
import { until } from './until.ts'

const ROOT = dirname(dirname(import.meta.dirname))

export interface Terminal {
  /** Everything that was written to it so far. */
  shown(): string
  type(keys: string): void
  resize(columns: number, rows: number): void
  /**
   * Whether the program, which has ended, has left it as it was: what is typed is shown and taken line
   * by line.
   */
  isInOrder(): boolean
  /** The program itself, below the terminal. */
  pid(): Promise<number>
  /** Nobody reads what it shows any more, as after Ctrl-S. */
  pause(): void
  resume(): void
  /** The terminal goes away. */
  close(): void
  /** The exit code of the program, when all that it wrote has been read. */
  readonly exited: Promise<number | null>
}

export interface TerminalOptions {
  readonly env: Environment
  readonly columns?: number
  readonly rows?: number
}

/** Runs `node` with `args` there. */
export function openTerminal(
  t: Scope,
  args: readonly string[],
  { env, columns = 100, rows = 40 }: TerminalOptions,
): Terminal {
  const words = [process.execPath, ...args].map(quote).join(' ')
  const size = `stty cols ${columns} rows ${rows}`
  // The shell stays, whatever is typed, to say how the program has left the terminal.
  const command = `${size}; tty; trap : INT; ${words}; code=$?; stty -a; exit $code`
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, TERM: 'xterm-256color', LANG: 'C.UTF-8', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => endAll(child))
  let shown = ''
  child.stdin.on('error', () => {})
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
  })
  const place = () => /^(\/dev\/\S+)/.exec(shown)?.[1]
  const exited = once(child, 'close').then(([code]) => code as number | null)
  return {
    shown: () => shown.slice(shown.indexOf('\n') + 1),
    type: (keys) => void child.stdin.write(keys),
    resize(width, height) {
      spawnSync('stty', ['-F', place() ?? '', 'cols', String(width), 'rows', String(height)])
    },
    isInOrder() {
      const left = shown.slice(shown.lastIndexOf('speed '))
      return /(?<!-)\bicanon\b/.test(left) && /(?<!-)\becho\b/.test(left)
    },
    pid: () =>
      until('the program', () => {
        const [shell] = childrenOf(child.pid)
        return childrenOf(shell).find(({ command: name }) => name === 'node')?.pid
      }),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    close: () => void child.kill('SIGKILL'),
    exited,
  }
}

interface Process {
  readonly pid: number
  readonly command: string
}

function childrenOf(parent: number | Process | undefined): Process[] {
  const pid = typeof parent === 'object' ? parent.pid : parent
  const { stdout } = spawnSync('ps', ['-o', 'pid=,comm=', '--ppid', String(pid)], {
    encoding: 'utf8',
  })
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([number, name]) => number && name)
    .map(([number, name]) => ({ pid: Number(number), command: name ?? '' }))
}

/** The program too, which would outlive its terminal. */
function endAll(child: ChildProcess): void {
  const [shell] = childrenOf(child.pid)
  for (const { pid } of [...childrenOf(shell), ...(shell ? [shell] : [])]) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
  child.kill('SIGKILL')
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
