/**
 * Which member runs which task: co-partitioned by construction, balanced to ±1, fewest moves.
 *
 * Pure; called on the elected leader. A task is `<sub-topology>_<partition>`, so topics that meet
 * in a store are never split. 1. Members differ by one task at most, over all tasks and within each
 * sub-topology: sub-topologies differ in weight. 2. Among the assignments that are so balanced, one
 * that moves the fewest tasks is taken. 3. The same input gives the same answer on every member.
 */

import { MinCostFlow } from './min-cost-flow.ts'

export interface AssignmentMember {
  readonly memberId: string
  readonly ownedTasks: readonly string[]
}

/** @returns for every member, its tasks in the order of `tasks` */
export const assignTasks = (
  members: readonly AssignmentMember[],
  tasks: readonly string[],
): ReadonlyMap<string, readonly string[]> => {
  const ordered = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const owners = ownersOf(ordered)
  const groups = [...Map.groupBy(tasks, subTopologyOf).values()]
  const quotas = quotasOf(groups, owners, ordered.length)
  const assigned = ordered.map((): string[] => [])
  groups.forEach((group, sub) => {
    const left = quotas.map((ofMember) => ofMember[sub]!)
    const moving = group.filter((task) => {
      const owner = owners.get(task)
      if (owner === undefined || left[owner] === 0) return true
      left[owner]! -= 1
      assigned[owner]!.push(task)
      return false
    })
    for (const task of moving) {
      const heir = left.findIndex((count) => count > 0)
      left[heir]! -= 1
      assigned[heir]!.push(task)
    }
  })
  const place = new Map(tasks.map((task, index) => [task, index]))
  return new Map(
    ordered.map(({ memberId }, index) => [
      memberId,
      assigned[index]!.sort((a, b) => place.get(a)! - place.get(b)!),
    ]),
  )
}

/** Index of the member that has a task; of two that claim it, the first. */
const ownersOf = (members: readonly AssignmentMember[]): ReadonlyMap<string, number> => {
  const owners = new Map<string, number>()
  members.forEach(({ ownedTasks }, index) => {
    for (const task of ownedTasks) if (!owners.has(task)) owners.set(task, index)
  })
  return owners
}

/** By member and sub-topology: how many of its tasks the member runs. */
const quotasOf = (
  groups: readonly (readonly string[])[],
  owners: ReadonlyMap<string, number>,
  memberCount: number,
): readonly (readonly number[])[] => {
  const bases = groups.map(({ length }) => Math.floor(length / memberCount))
  const hasMore = groups.map((group, sub) => {
    const owned = Array.from({ length: memberCount }, () => 0)
    for (const task of group) {
      const owner = owners.get(task)
      if (owner !== undefined) owned[owner]! += 1
    }
    return owned.map((count) => count > bases[sub]!)
  })
  const extras = extrasOf(
    groups.map(({ length }) => length % memberCount),
    hasMore,
    memberCount,
  )
  return Array.from({ length: memberCount }, (_, member) =>
    bases.map((base, sub) => base + extras(sub, member)),
  )
}

/**
 * Who runs one task more than the base of a sub-topology: each member about as often as another,
 * and whoever has one more already, if that can be.
 */
const extrasOf = (
  remainders: readonly number[],
  hasMore: readonly (readonly boolean[])[],
  memberCount: number,
): ((sub: number, member: number) => number) => {
  const [source, sink] = [0, 1]
  const subNode = (sub: number): number => 2 + sub
  const memberNode = (member: number): number => 2 + remainders.length + member
  const flow = new MinCostFlow(2 + remainders.length + memberCount)
  const total = remainders.reduce((sum, count) => sum + count, 0)
  const arcs = remainders.map((limit, sub) => {
    flow.addArc(source, subNode(sub), { limit, cost: 0 })
    return Array.from({ length: memberCount }, (_, member) => {
      const cost = hasMore[sub]![member] === true ? 0 : 1
      return flow.addArc(subNode(sub), memberNode(member), { limit: 1, cost })
    })
  })
  for (let member = 0; member < memberCount; member++) {
    const limit = Math.floor(total / memberCount)
    flow.addArc(memberNode(member), sink, { limit, cost: 0 })
    // dearer than all moves together: nobody gets two more while another gets none
    flow.addArc(memberNode(member), sink, { limit: 1, cost: total + 1 })
  }
  flow.run(source, sink)
  return (sub, member) => flow.sentAlong(arcs[sub]![member]!)
}

const subTopologyOf = (task: string): string => task.slice(0, task.lastIndexOf('_'))
