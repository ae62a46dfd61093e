/**
 * Goal: shares are balanced within every sub-topology and over all, and nothing moves without need.
 * Method: random groups against the definition; the number of moves of small groups against the
 * best of all balanced assignments, found by trying every one.
 */

import { array, assert, integer, nat, property, record } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AssignmentMember, assignTasks } from '../../src/runtime/assignor.ts'

const tasksOf = (partitions: readonly number[]): readonly string[] =>
  partitions.flatMap((count, sub) => Array.from({ length: count }, (_, i) => `${sub}_${i}`))

/** Members that own tasks as `owners` says: the n-th task is of that member, or of nobody. */
const membersOf = (
  count: number,
  tasks: readonly string[],
  owners: readonly number[],
): readonly AssignmentMember[] =>
  Array.from({ length: count }, (_, member) => ({
    memberId: `m${member}`,
    ownedTasks: tasks.filter((_task, index) => owners[index % owners.length] === member),
  }))

const spread = (counts: readonly number[]): number => Math.max(...counts) - Math.min(...counts)

const countsOf = (
  assigned: ReadonlyMap<string, readonly string[]>,
  sub?: number,
): readonly number[] =>
  [...assigned.values()].map(
    (tasks) => tasks.filter((task) => sub === undefined || task.startsWith(`${sub}_`)).length,
  )

const movesOf = (
  assigned: ReadonlyMap<string, readonly string[]>,
  members: readonly AssignmentMember[],
): number =>
  members.reduce(
    (sum, { memberId, ownedTasks }) =>
      sum + ownedTasks.filter((task) => !assigned.get(memberId)!.includes(task)).length,
    0,
  )

/** Fewest moves of all balanced assignments: every way to give each task to somebody. */
const fewestMoves = (
  members: readonly AssignmentMember[],
  partitions: readonly number[],
): number => {
  const tasks = tasksOf(partitions)
  const owner = tasks.map((task) =>
    members.findIndex(({ ownedTasks }) => ownedTasks.includes(task)),
  )
  let best = Infinity
  const choices = members.length ** tasks.length
  for (let choice = 0; choice < choices; choice++) {
    const total = members.map(() => 0)
    const bySub = partitions.map(() => members.map(() => 0))
    let moves = 0
    tasks.forEach((task, index) => {
      const member = Math.floor(choice / members.length ** index) % members.length
      total[member]! += 1
      bySub[Number(task.split('_')[0])]![member]! += 1
      if (owner[index] !== -1 && owner[index] !== member) moves += 1
    })
    if (spread(total) <= 1 && bySub.every((counts) => spread(counts) <= 1)) {
      best = Math.min(best, moves)
    }
  }
  return best
}

const groups = record({
  count: integer({ min: 1, max: 9 }),
  partitions: array(integer({ min: 1, max: 13 }), { minLength: 1, maxLength: 5 }),
  owners: array(nat(10), { minLength: 1, maxLength: 40 }),
})

describe('assignTasks', () => {
  test('gives every task to one member, balanced to ±1 over all and in each sub-topology', () => {
    assert(
      property(groups, ({ count, partitions, owners }) => {
        const tasks = tasksOf(partitions)
        const assigned = assignTasks(membersOf(count, tasks, owners), tasks)
        expect([...assigned.values()].flat().sort()).toEqual([...tasks].sort())
        expect(spread(countsOf(assigned))).toBeLessThanOrEqual(1)
        partitions.forEach((_, sub) => {
          expect(spread(countsOf(assigned, sub))).toBeLessThanOrEqual(1)
        })
      }),
    )
  })

  test('moves as few tasks as any balanced assignment does', () => {
    const small = record({
      count: integer({ min: 1, max: 3 }),
      partitions: array(integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 2 }),
      owners: array(nat(3), { minLength: 1, maxLength: 8 }),
    })
    assert(
      property(small, ({ count, partitions, owners }) => {
        const tasks = tasksOf(partitions)
        const members = membersOf(count, tasks, owners)
        const assigned = assignTasks(members, tasks)
        expect(movesOf(assigned, members)).toBe(fewestMoves(members, partitions))
      }),
      { numRuns: 150 },
    )
  })

  test('is the same whatever the order of the members, and stays as it is', () => {
    assert(
      property(groups, ({ count, partitions, owners }) => {
        const tasks = tasksOf(partitions)
        const members = membersOf(count, tasks, owners)
        const assigned = assignTasks(members, tasks)
        expect(assignTasks(members.toReversed(), tasks)).toEqual(assigned)
        const settled = [...assigned].map(([memberId, ownedTasks]) => ({ memberId, ownedTasks }))
        expect(assignTasks(settled, tasks)).toEqual(assigned)
      }),
    )
  })

  test('when one vanishes the others keep what they have of a sub-topology', () => {
    assert(
      property(groups, ({ count, partitions, owners }) => {
        const tasks = tasksOf(partitions.slice(0, 1))
        const assigned = assignTasks(membersOf(count + 1, tasks, owners), tasks)
        const left = [...assigned]
          .slice(1)
          .map(([memberId, ownedTasks]) => ({ memberId, ownedTasks }))
        expect(movesOf(assignTasks(left, tasks), left)).toBe(0)
      }),
    )
  })

  test('two sub-topologies of one partition each go to two members', () => {
    const assigned = assignTasks(membersOf(2, [], [0]), ['0_0', '1_0'])
    expect([...assigned.values()]).toEqual([['0_0'], ['1_0']])
  })

  test('a task that two members claim goes to one of them', () => {
    const assigned = assignTasks(
      [
        { memberId: 'a', ownedTasks: ['0_0', '0_1'] },
        { memberId: 'b', ownedTasks: ['0_0'] },
      ],
      ['0_0', '0_1'],
    )
    expect([...assigned.values()].flat().sort()).toEqual(['0_0', '0_1'])
  })
})
