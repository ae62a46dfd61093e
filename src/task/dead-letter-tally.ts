/**
 * Counts of dead letters by the topic of their record and the class of their failure.
 *
 * Kept per generation by the task, and per instance, since the start, for `/metrics`.
 */

import type { FailureClass } from '../errors/failure-class.ts'

export interface DeadLetterCount {
  readonly topic: string
  readonly failureClass: FailureClass
  readonly count: number
}

export class DeadLetterTally {
  readonly #counts = new Map<string, DeadLetterCount>()

  add(topic: string, failureClass: FailureClass, count = 1): void {
    const name = `${failureClass} ${topic}`
    const before = this.#counts.get(name)?.count ?? 0
    this.#counts.set(name, { topic, failureClass, count: before + count })
  }

  addAll(other: DeadLetterTally): void {
    for (const { topic, failureClass, count } of other.counts()) {
      this.add(topic, failureClass, count)
    }
  }

  get total(): number {
    let sum = 0
    for (const { count } of this.#counts.values()) sum += count
    return sum
  }

  counts(): readonly DeadLetterCount[] {
    return [...this.#counts.values()]
  }
}
