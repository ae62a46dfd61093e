/**
 * Tells whether the process that once had a pid is still that process.
 *
 * Used by `directory.ts`. On Linux the kernel's start time of the pid is compared, so that a pid
 * used again is noticed; elsewhere a live pid counts as the same process.
 */

import { readFileSync } from 'node:fs'

/** @param startTicks  what `processStartTicks` said about the pid then */
export const isSameProcess = (pid: number, startTicks: string | undefined): boolean => {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    // EPERM: it exists, and belongs to somebody else.
  }
  const stat = statFields(pid)
  if (stat === undefined) return true
  if (stat.state === 'Z' || stat.state === 'X') return false // ended, its files are closed
  return startTicks === undefined || stat.startTicks === startTicks
}

/** When the process started, in ticks since boot; undefined where the system does not tell. */
export const processStartTicks = (pid: number): string | undefined => statFields(pid)?.startTicks

const statFields = (pid: number): { state: string; startTicks: string } | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The command's name, in parentheses, may hold spaces: count the fields after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state, startTicks] = [fields[0], fields[19]]
    return state === undefined || startTicks === undefined ? undefined : { state, startTicks }
  } catch {
    return undefined
  }
}
