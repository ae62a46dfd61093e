/**
 * Which room may import which: the architecture's directions as data.
 *
 * `topologies → src/index → {operators, runtime} → {task, topology} → state`, and `src/cli` puts
 * everything together. The longest matching prefix is the room of a file; a room always sees
 * itself.
 */

const foundation = [
  'src/record.ts',
  'src/topic.ts',
  'src/clock.ts',
  'src/logger.ts',
  'src/durations.ts',
  'src/serde/',
  'src/windows/',
  'src/errors/',
  'src/http-client/',
  'src/schema-registry/',
]
const kernel = [...foundation, 'src/stores/', 'src/topology/', 'state/slots.ts']
const ports = [
  'src/broker/port.ts',
  'src/broker/errors.ts',
  'src/broker/topic-defaults.ts',
  'src/broker/partitioner.ts',
  'src/broker/read-committed.ts',
  'src/broker/records/',
]
const task = [...kernel, ...ports, 'state/', 'src/task/', 'src/runtime-config.ts']
const runtime = [...task, 'src/runtime/', 'src/operators/']

export const rooms: Readonly<Record<string, readonly string[]>> = {
  'state/': [],
  'src/record.ts': [],
  'src/clock.ts': [],
  'src/logger.ts': [],
  'src/durations.ts': [],
  'src/topic.ts': ['src/serde/'],
  'src/serde/': ['src/record.ts', 'src/windows/', 'src/schema-registry/'],
  'src/schema-registry/': [...foundation, ...ports],
  'src/windows/': [],
  'src/http-client/': [],
  'src/errors/': ['src/record.ts', ...ports],
  'src/stores/': [...foundation, 'state/'],
  'src/topology/': [...foundation, 'src/stores/', 'state/slots.ts', 'src/config/nearest.ts'],
  'src/operators/': kernel,
  'src/broker/': [...foundation],
  'src/broker/records/': [...foundation, 'src/broker/port.ts'],
  'src/broker/embedded/': [...foundation, ...ports, 'state/', 'src/testing/prng.ts'],
  'src/runtime-config.ts': foundation,
  'src/task/': task,
  'src/runtime/': runtime,
  'src/dlq/': [...runtime],
  'src/config/': ['src/runtime-config.ts', 'state/memory-budget.ts'],
  'src/queries/': runtime,
  'src/http/': [...runtime, 'src/config/', 'src/dlq/', 'src/queries/'],
  'src/testing/': [...runtime, 'src/broker/'],
  'src/index.ts': ['src/'],
  'src/cli/': ['src/', 'state/', 'topologies/'],
  'topologies/': ['src/index.ts'],
  'bench/': ['src/', 'state/', 'topologies/', 'test/'],
  'scripts/': ['src/index.ts', 'src/cli/', 'topologies/'],
  'test/': ['src/', 'state/', 'topologies/', 'bench/', 'scripts/'],
}

/** Packages a room may use; rooms that are not listed may use any dependency. */
export const packages: Readonly<Record<string, readonly string[]>> = {
  'state/': ['rocksdb', 'lmdb'],
  'src/topology/': ['rxjs'],
  'src/operators/': ['rxjs'],
  'src/stores/': [],
  'src/serde/': ['avsc'],
  'src/http-client/': [],
  'src/schema-registry/': ['avsc'],
  'src/task/': ['rxjs'],
  'src/runtime/': ['rxjs'],
  'src/broker/embedded/': [],
  'topologies/': ['rxjs'],
  'topologies/shop/http/': ['fastify', 'typebox'],
}

export const roomOf = (
  path: string,
  table: Readonly<Record<string, unknown>>,
): string | undefined =>
  Object.keys(table)
    .filter((prefix) => path === prefix || (prefix.endsWith('/') && path.startsWith(prefix)))
    .toSorted((a, b) => b.length - a.length)[0]
