/**
 * What counting costs per record by key and by each kind of window, over warm slots.
 *
 * Method: 1,000 keys in turn, 1 ms of stream time per record, in one task scope over a memory
 * engine; the undo log is cleared per record, and a generation is sealed and applied every 10,000
 * (its changelog rows are encoded, no transaction is made). CPU time of the process, threads of the
 * collector included: it holds on a busy machine too. A warm-up, then 7 rounds, median.
 */

import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { Slots } from '../../state/slots.ts'
import { UndoLog } from '../../state/undo-log.ts'
import {
  count,
  hopping,
  json,
  keyValueStore,
  type Observable,
  session,
  sliding,
  type Store,
  stream,
  type StreamRecord,
  suppress,
  suppressStore,
  tableStore,
  to,
  topic,
  topology,
  type TopologyError,
  tumbling,
  untilWindowCloses,
  utf8,
  windowed,
  windowedStore,
} from '../../src/index.ts'
import { noHeaders, StreamRecord as Item } from '../../src/record.ts'
import { TaskScope, type TaskServices } from '../../src/topology/task-scope.ts'
import { report } from '../report.ts'
import { StreamTime } from '../../src/stores/stream-time.ts'

const numbers = topic('numbers', { key: utf8, value: json<number>() })
const out = topic('out', { key: windowed(utf8), value: json<number>() })
const serdes = { key: utf8, value: json<number>() }
type Numbers = Observable<StreamRecord<string, number>>
type Counts = Observable<StreamRecord<unknown, unknown>>

const windowCount = (windows: Parameters<typeof windowedStore>[1]['windows'], options = {}) => {
  const store = windowedStore('w', { ...serdes, windows })
  return (numbers$: Numbers): Counts => numbers$.pipe(count(store as never, options))
}

const graceMs = 1_000
const minute = tumbling({ sizeMs: 10_000, graceMs })
const minutes = windowedStore('w', { ...serdes, windows: minute })
const held = suppressStore('held', { key: windowed(utf8), value: json<number>() })

const cases: Readonly<Record<string, (numbers$: Numbers) => Counts>> = {
  keyValue: (numbers$) => numbers$.pipe(count(keyValueStore('w', serdes))),
  table: (numbers$) => numbers$.pipe(count(tableStore('w', serdes))),
  tumbling: windowCount(minute),
  tumblingOnClose: windowCount(minute, { emit: 'onClose', emitIntervalMs: 0 }),
  tumblingSuppressed: (numbers$) =>
    numbers$.pipe(count(minutes), suppress(held, untilWindowCloses(minute))),
  hoppingBy5: windowCount(hopping({ sizeMs: 10_000, advanceMs: 2_000, graceMs })),
  sliding: windowCount(sliding({ withinMs: 5_000, graceMs })),
  session: windowCount(session({ gapMs: 2_000, graceMs })),
}

const made = new Map<string, ReturnType<typeof handles>>()
const handles = (build: (numbers$: Numbers) => Counts) => {
  // stores are made once: the definition runs again in the task
  return topology('bench', () => [build(stream(numbers)).pipe(to(out as never))])
}

const pushInto = (name: string): ((i: number) => void) => {
  const chain = made.get(name) ?? handles(cases[name]!)
  made.set(name, chain)
  const undo = new UndoLog()
  const opened = new Map<string, { slots: Slots; face: unknown }>()
  const services: TaskServices = {
    plan: chain.plan,
    sub: chain.plan.subTopologies[0]!,
    taskId: '0_0',
    partition: 0,
    open: <Opened>(store: Store<Opened>): Opened => {
      let found = opened.get(store.name)
      if (found === undefined) {
        const slots = new Slots({
          engine: MemoryEngine.create(),
          prefix: Uint8Array.of(opened.size + 1),
          codec: store.codec,
          undo,
          cachedSlotsMax: 100_000,
        })
        found = { slots, face: store.open(slots, new StreamTime()) }
        opened.set(store.name, found)
      }
      return found.face as Opened
    },
    globalRows: () => {
      throw new Error('no global table here')
    },
    stage: () => {},
    streamTimeMs: () => 0,
    nowMs: () => 0,
    latestNowMs: () => 0,
    caughtUpToMs: () => 0,
    report: (fault: TopologyError) => {
      throw fault
    },
    countDropped: () => {},
    requestEffect: () => {},
  }
  const scope = new TaskScope(services)
  scope.build(chain.define)
  const source = scope.source('numbers')!
  const { gate } = scope
  return (i) => {
    gate.phase = 'open'
    source.emit(new Item(`key-${i % 1_000}`, i, i, noHeaders))
    gate.phase = 'idle'
    undo.clear()
    if (i % 10_000 !== 9_999) return
    for (const { slots } of opened.values()) {
      slots.seal()
      slots.applied()
    }
  }
}

const roundRecords = 100_000

const measure = (name: string): number => {
  const push = pushInto(name)
  let at = 0
  const round = (): number => {
    const start = process.cpuUsage()
    for (const end = at + roundRecords; at < end; at++) push(at)
    const { user, system } = process.cpuUsage(start)
    return ((user + system) / roundRecords) * 1e3
  }
  round()
  return Array.from({ length: 7 }, round).sort((a, b) => a - b)[3]!
}

const figures = Object.fromEntries(
  Object.keys(cases).map((name) => [`${name}CpuNsPerRecord`, measure(name)]),
)
report({ name: 'aggregates', figures, note: '1,000 keys, 1 ms per record, no transaction' })
