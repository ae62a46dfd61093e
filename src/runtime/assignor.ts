/**
 * Which member runs which task: co-partitioned by construction, sticky, balanced to ±1.
 *
 * Pure; called on the elected leader. A task is `<sub-topology>_<partition>`, so topics that meet
 * in a store are never split. 1. A member keeps what it owns, up to its share. 2. What is left goes
 * to whoever has least, in member order. 3. The same input gives the same answer on every member.
 * Metadata and assignments are JSON with a version, so that a later assignor can tell.
 */

export interface Subscription {
  readonly version: 1
  /** Random per process, so that a member is recognised over rejoins. */
  readonly processId: string
  readonly ownedTasks: readonly string[]
}

export interface Assignment {
  readonly version: 1
  readonly tasks: readonly string[]
}

export const encodeJson = (value: Subscription | Assignment): Uint8Array =>
  Buffer.from(JSON.stringify(value))

export const decodeJson = <T extends Subscription | Assignment>(bytes: Uint8Array): T => {
  const value = JSON.parse(Buffer.from(bytes).toString()) as T
  if (value.version !== 1) throw new Error(`assignor version ${value.version} is not known here`)
  return value
}

export interface AssignmentMember {
  readonly memberId: string
  readonly ownedTasks: readonly string[]
}

export const assignTasks = (
  members: readonly AssignmentMember[],
  tasks: readonly string[],
): ReadonlyMap<string, readonly string[]> => {
  const ordered = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const smallest = Math.floor(tasks.length / ordered.length)
  let larger = tasks.length % ordered.length
  const unassigned = new Set(tasks)
  const assigned = new Map<string, string[]>()
  for (const { memberId, ownedTasks } of ordered) {
    const kept = ownedTasks.filter((task) => unassigned.has(task))
    const share = kept.length > smallest && larger > 0 ? smallest + 1 : smallest
    if (kept.length > smallest && larger > 0) larger -= 1
    const own = kept.slice(0, share)
    for (const task of own) unassigned.delete(task)
    assigned.set(memberId, own)
  }
  for (const task of unassigned) {
    const least = ordered.reduce((a, b) =>
      assigned.get(b.memberId)!.length < assigned.get(a.memberId)!.length ? b : a,
    )
    assigned.get(least.memberId)!.push(task)
  }
  return assigned
}
