/**
 * Seeded random numbers: the only randomness of simulations, faults, generated loads and tests.
 *
 * Called by `broker/embedded` (ids, faults), by load generators of applications and by tests; same
 * seed, same sequence, everywhere.
 * 1. Not for secrets. 2. State is 32 bits wide and the period 2^32: enough for a run, not for
 * statistics. Algorithm: splitmix32 (Guy Steele, Doug Lea; 32-bit finaliser of murmur3).
 */

const increment = 0x9e3779b9
const range = 0x1_0000_0000

export class Prng {
  #state: number

  /** @param seed  any integer; its lower 32 bits count */
  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** @returns a number in [0, 1) */
  next(): number {
    this.#state = (this.#state + increment) | 0
    let mixed = this.#state ^ (this.#state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    mixed ^= mixed >>> 15
    return (mixed >>> 0) / range
  }

  /** @returns an integer in [0, `max`); `max` is at least 1 */
  int(max: number): number {
    return Math.floor(this.next() * max)
  }

  /** @returns one element; the array must not be empty */
  pick<T>(array: readonly T[]): T {
    if (array.length === 0) throw new RangeError('pick: the array is empty')
    return array[this.int(array.length)]!
  }

  /** @returns true with this probability, 0 to 1; draws a number either way */
  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** A generator of its own, so that one part's draws do not shift another's. */
  fork(): Prng {
    return new Prng(Math.floor(this.next() * range))
  }

  /** A version 4 UUID from this sequence. */
  uuid(): string {
    const hex = Array.from({ length: 32 }, () => this.int(16).toString(16))
    hex[12] = '4'
    hex[16] = (8 + this.int(4)).toString(16)
    const text = hex.join('')
    return [
      text.slice(0, 8),
      text.slice(8, 12),
      text.slice(12, 16),
      text.slice(16, 20),
      text.slice(20),
    ].join('-')
  }
}
