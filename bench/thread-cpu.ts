/** CPU time of each thread of this process by its name; Linux only, empty elsewhere. */

import { readdirSync, readFileSync } from 'node:fs'

const tickMicros = 10_000 // sysconf(_SC_CLK_TCK) is 100 wherever Node runs on Linux

/** User and system µs so far; threads of one name are added up. */
export const threadCpuMicros = (): ReadonlyMap<string, number> => {
  const byName = new Map<string, number>()
  if (process.platform !== 'linux') return byName
  for (const id of readdirSync('/proc/self/task')) {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, 'latin1')
    const nameEnd = stat.lastIndexOf(')')
    const fields = stat.slice(nameEnd + 2).split(' ')
    const name = Number(id) === process.pid ? 'main' : stat.slice(stat.indexOf('(') + 1, nameEnd)
    const micros = (Number(fields[11]) + Number(fields[12])) * tickMicros
    byName.set(name, (byName.get(name) ?? 0) + micros)
  }
  return byName
}
