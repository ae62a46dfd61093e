import type { Observable } from 'rxjs'
import { TopologyError } from '../errors/classes.ts'
import type { StreamRecord } from '../record.ts'
import type { HotStream } from '../topology/hot-stream.ts'
import { currentScope } from '../topology/scope.ts'

/** Predicates by the name of their branch, asked in the order they are written. */
export type BranchTests<K, V> = Readonly<Record<string, (record: StreamRecord<K, V>) => boolean>>

/** The stream of each branch, by its name. */
export type Branches<K, V, T> = {
  readonly [Name in keyof T]: Observable<StreamRecord<K, V>>
}

/**
 * Sends each record to the first branch whose predicate holds.
 *
 * A record that no branch takes is dropped, which is no error: end with `rest: () => true` to
 * keep it. Names that are whole numbers are refused: JavaScript would ask them first.
 *
 * @param source  any stream of this topology
 * @param tests   pure and synchronous; a throw fails the record
 * @returns       a stream per name, of the same record objects; each must be used or returned
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID without branches, or for a number as a name
 * @example       const { large, rest } = branch(orders$, {
 *                  large: ({ value }) => value.totalCents > 100_000, rest: () => true })
 */
export const branch = <K, V, const T extends BranchTests<K, V>>(
  source: Observable<StreamRecord<K, V>>,
  tests: T,
): Branches<K, V, T> => {
  const scope = currentScope('branch')
  const names = Object.keys(tests)
  if (names.length === 0 || names.some((name) => /^\d+$/.test(name))) {
    throw new TopologyError(
      'STREAMS_TOPOLOGY_INVALID',
      `branch() got the names [${names.join(', ')}]; it needs at least one, and none a number`,
    )
  }
  const input = scope.node<never>({ kind: 'branch' })
  const outs: HotStream<StreamRecord<K, V>>[] = []
  const asked = Object.values(tests)
  input.listen(source, (record) => {
    for (let i = 0; i < asked.length; i++) if (asked[i]!(record)) return outs[i]!.emit(record)
  })
  for (const name of names) {
    const out = scope.node<StreamRecord<K, V>>({ kind: 'branch', stem: `branch-${name}` })
    scope.addEdge(input.node, out.node)
    outs.push(out)
  }
  return Object.fromEntries(names.map((name, i) => [name, outs[i]!])) as unknown as Branches<
    K,
    V,
    T
  >
}
