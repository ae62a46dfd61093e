/**
 * Groups of indexes that grow together (union-find), used to split a graph into parts.
 *
 * The smallest index of a group is its root: groups are then ordered by their first declared node.
 */
export class DisjointSets {
  readonly #parents: number[]

  constructor(size: number) {
    this.#parents = Array.from({ length: size }, (_, index) => index)
  }

  find(index: number): number {
    let root = index
    while (this.#parents[root] !== root) root = this.#parents[root]!
    return root
  }

  union(a: number, b: number): void {
    const rootA = this.find(a)
    const rootB = this.find(b)
    this.#parents[Math.max(rootA, rootB)] = Math.min(rootA, rootB)
  }
}
