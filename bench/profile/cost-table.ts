/** What a record costs in each room of the house: self time of a profile, by where the code is. */

import type { ProfileCall } from './cpu-profile.ts'

export interface Cost {
  readonly room: string
  /** Of the main thread, per record. */
  readonly usPerRecord: number
  /** Of all time that was not idle. */
  readonly share: number
}

/** The first that matches a file decides. */
const rooms: readonly (readonly [room: string, pattern: RegExp])[] = [
  [
    'Kafka: fetch and decode',
    /src\/broker\/kafka\/(fetch|kafka-fetcher|partition-fetch|records\/d)/,
  ],
  ['Kafka: produce and transactions', /src\/broker\/kafka\//],
  ['packed records', /src\/broker\/records\//],
  ['embedded broker', /src\/broker\/embedded\//],
  ['task: queues, scopes, outputs', /src\/task\//],
  ['runtime: loop, commit', /src\/runtime\//],
  ['operators', /src\/(operators|topology|windows)\//],
  ['stores: rows and windows', /src\/stores\//],
  ['serdes', /src\/serde\//],
  ['slots and engines', /\/state\//],
  ['the workload itself', /(bench|topologies)\//],
  ['RxJS', /node_modules\/rxjs\//],
  ['Kafka library', /node_modules\/@platformatic\//],
  ['other packages', /node_modules\//],
  ['Node', /^node:/],
]

const roomOf = ({ functionName, url }: ProfileCall): string => {
  if (functionName === '(garbage collector)') return 'garbage collection'
  if (functionName === '(program)') return 'V8 and the system'
  if (url === '') return `native: ${functionName === '' ? 'unnamed' : functionName}`
  return rooms.find(([, pattern]) => pattern.test(url))?.[0] ?? 'elsewhere'
}

/** Most expensive first; what costs less than `leastShare` is put together. */
export const costTable = (
  root: ProfileCall,
  records: number,
  leastShare = 0.005,
): readonly Cost[] => {
  const byRoom = new Map<string, number>()
  const visit = (call: ProfileCall): void => {
    if (call.functionName !== '(idle)' && call.selfUs > 0) {
      const room = roomOf(call)
      byRoom.set(room, (byRoom.get(room) ?? 0) + call.selfUs)
    }
    for (const callee of call.callees) visit(callee)
  }
  visit(root)
  const busyUs = [...byRoom.values()].reduce((sum, us) => sum + us, 0)
  const small = [...byRoom].filter(([, us]) => us / busyUs < leastShare)
  for (const [room] of small) byRoom.delete(room)
  byRoom.set(
    'rest',
    small.reduce((sum, [, us]) => sum + us, 0),
  )
  return [...byRoom]
    .toSorted(([, a], [, b]) => b - a)
    .map(([room, us]) => ({ room, usPerRecord: us / records, share: us / busyUs }))
}
