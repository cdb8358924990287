// What the threads of a process that does not answer are doing: whether they compute or wait, and for what.

import { readdirSync, readFileSync } from 'node:fs'

/**
 * One line a thread, of Linux: its name, its state, the kernel function that it waits in, and its CPU time
 * so far in hundredths of a second. A JavaScript thread that computes is in an endless loop; one that waits
 * for a lock (`futex`) is stuck in Node.js itself. Empty where that cannot be told.
 */
export function describeThreads(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map((id) => describeThread(`/proc/${pid}/task/${id}`))
      .join('\n')
  } catch {
    return ''
  }
}

function describeThread(directory) {
  const read = (name) => readFileSync(`${directory}/${name}`, 'utf8').trim()
  const stat = read('stat')
  // proc(5): after the name, which may hold anything, the state is field 3, and 14 and 15 are the CPU time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return `${read('comm')}: ${fields[0]} ${readWait(read)} ${ticks}`
}

/** The kernel shows it to root alone. */
function readWait(read) {
  try {
    return read('wchan')
  } catch {
    return '?'
  }
}
