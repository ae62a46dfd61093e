/**
 * The smallest task that keeps the kernel's rules: real slots over a real engine, no broker.
 *
 * One task per sub-topology, all of partition 0. Records go through the serdes of their topics both
 * ways; repartition topics loop back at once. `rebuildBeforeEachRecord` makes every pipeline new
 * before each record: outputs must not change, else a step keeps state outside of a store.
 */

import { namespacePrefix } from '../../state/key-layout.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { Slots } from '../../state/slots.ts'
import { UndoLog } from '../../state/undo-log.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import { RecordError, TopologyError } from '../../src/errors/classes.ts'
import { noHeaders, StreamRecord } from '../../src/record.ts'
import { GlobalRows } from '../../src/stores/global-rows.ts'
import type { Store } from '../../src/stores/store.ts'
import type { Topic } from '../../src/topic.ts'
import type { EffectCompletion, EffectNode } from '../../src/topology/effect-node.ts'
import type { AnyTopic, Plan, SubTopology } from '../../src/topology/graph.ts'
import type { PunctuationTime } from '../../src/topology/punctuator.ts'
import type { DropReason, SinkSpec, StagedRecord } from '../../src/topology/scope.ts'
import { TaskScope, type TaskServices } from '../../src/topology/task-scope.ts'
import type { Topology } from '../../src/topology/topology.ts'
import { StreamTime } from '../../src/stores/stream-time.ts'

export interface RunnerOptions {
  readonly rebuildBeforeEachRecord?: boolean
  readonly engine?: MemoryEngine
}

interface Output {
  readonly topic: AnyTopic
  readonly isInternal: boolean
  readonly key: Uint8Array | undefined
  readonly value: Uint8Array | undefined
  readonly timestampMs: number
  readonly headers: StagedRecord['headers']
}

export class TestTask implements TaskServices {
  readonly plan: Plan
  readonly sub: SubTopology
  readonly taskId: string
  readonly partition = 0
  readonly slots = new Map<string, Slots>()
  readonly dropped: string[] = []
  outputs: Output[] = []
  effectRequests: string[] = []
  wallClockMs = 0
  caughtUpMs = -Infinity
  readonly #topology: Topology
  readonly #engine: MemoryEngine
  readonly #undo = new UndoLog()
  readonly #opened = new Map<string, unknown>()
  readonly #nextMs = new Map<string, number>()
  #streamTimeMs = -Infinity
  #fault: TopologyError | undefined
  #scope: TaskScope

  constructor(topology: Topology, sub: SubTopology, engine = MemoryEngine.create()) {
    this.plan = topology.plan
    this.sub = sub
    this.taskId = `${sub.id}_0`
    this.#topology = topology
    this.#engine = engine
    this.#scope = this.#build()
  }

  get scope(): TaskScope {
    return this.#scope
  }

  open<Opened>(store: Store<Opened>): Opened {
    if (!this.#opened.has(store.name)) {
      const slots = new Slots({
        engine: this.#engine,
        prefix: namespacePrefix(this.taskId, store.name),
        codec: store.codec,
        undo: this.#undo,
        cachedSlotsMax: 1_000,
      })
      this.slots.set(store.name, slots)
      this.#opened.set(store.name, store.open(slots, new StreamTime()))
    }
    return this.#opened.get(store.name) as Opened
  }

  globalRows(topicName: string): GlobalRows<unknown, unknown> {
    return new GlobalRows(this.plan.globals.get(topicName)!)
  }

  stage(topicName: string, record: StagedRecord, { topic, isInternal }: SinkSpec): void {
    if (topicName !== topic.name) throw new Error(`${topicName} is not ${topic.name}`)
    const { key, value, timestampMs, headers } = record
    this.outputs.push({
      topic,
      isInternal,
      timestampMs,
      headers,
      key: key === undefined ? undefined : topic.key.encode(key),
      value: value === undefined ? undefined : topic.value.encode(value),
    })
  }

  streamTimeMs(): number {
    return this.#streamTimeMs
  }

  nowMs(): number {
    return this.wallClockMs
  }

  latestNowMs(): number {
    return this.nowMs()
  }

  caughtUpToMs(): number {
    return this.caughtUpMs
  }

  report(fault: TopologyError): void {
    this.#fault ??= fault
  }

  countDropped(node: string, reason: DropReason): void {
    this.dropped.push(`${node} ${reason}`)
  }

  requestEffect(nodeName: string, rowKey: string): void {
    this.effectRequests.push(`${nodeName} ${rowKey}`)
  }

  push(topicName: string, record: StagedRecord): RecordError | undefined {
    const source = this.#scope.source(topicName)
    if (source === undefined) return undefined
    this.#streamTimeMs = Math.max(this.#streamTimeMs, record.timestampMs)
    return this.#inScope(topicName, () => source.emit(record))
  }

  complete(node: string, completion: EffectCompletion): RecordError | undefined {
    return this.#inScope(node, () => this.effect(node).input.next(completion))
  }

  effect(node: string): EffectNode {
    const effect = this.#scope.effects.get(node)
    if (effect === undefined) throw new Error(`task ${this.taskId} has no effect ${node}`)
    return effect
  }

  punctuate(on: PunctuationTime, nowMs: number): RecordError | undefined {
    for (const { name, everyMs, input, on: time } of this.#scope.punctuators) {
      if (time !== on) continue
      const nextMs = this.#nextMs.get(name)
      if (nextMs !== undefined && nowMs < nextMs) continue
      this.#nextMs.set(name, nowMs + everyMs)
      if (nextMs === undefined) continue
      const error = this.#inScope(name, () => input.next(nowMs))
      if (error !== undefined) return error
    }
    return undefined
  }

  rebuild(): void {
    this.#scope.close()
    this.#scope = this.#build()
  }

  /** @throws {TopologyError} a fault seen between records */
  async commit(): Promise<void> {
    this.throwFault()
    const batch = new WriteBatch()
    for (const [name, slots] of this.slots) {
      const prefix = namespacePrefix(this.taskId, name)
      for (const { key, value } of slots.seal()) {
        if (value === undefined) batch.delete(prefix, key)
        else batch.put(prefix, key, value)
      }
    }
    await this.#engine.commit(batch)
    for (const slots of this.slots.values()) slots.applied()
  }

  throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault
  }

  #inScope(input: string, body: () => void): RecordError | undefined {
    this.throwFault()
    const { gate } = this.#scope
    if (gate.phase !== 'idle') throw gate.fault(this.taskId, 'STREAMS_REENTRY', 'a nested push')
    gate.phase = 'open'
    const [outputs, effects] = [this.outputs.length, this.effectRequests.length]
    try {
      body()
    } catch (cause) {
      gate.fail(input, cause)
    }
    if (gate.failure === undefined) {
      gate.phase = 'idle'
      this.#undo.clear()
      return undefined
    }
    const { failure } = gate
    this.#undo.rollback()
    this.outputs.length = outputs
    this.effectRequests.length = effects
    this.rebuild()
    if (failure.cause instanceof TopologyError) throw failure.cause
    const where = { topic: input, partition: 0, offset: 0n }
    const { taskId } = this
    return new RecordError(
      'STREAMS_PROCESSING',
      { taskId, node: failure.node, position: where },
      failure.cause,
    )
  }

  #build(): TaskScope {
    const scope = new TaskScope(this)
    scope.build(this.#topology.define)
    return scope
  }
}

export class TopologyRunner {
  readonly engine: MemoryEngine
  readonly #topology: Topology
  readonly #options: RunnerOptions
  #tasks: readonly TestTask[]
  readonly #outputs: Output[] = []

  constructor(topology: Topology, options: RunnerOptions = {}) {
    this.#topology = topology
    this.#options = options
    this.engine = options.engine ?? MemoryEngine.create()
    this.#tasks = this.#start()
  }

  task(id = 0): TestTask {
    return this.#tasks[id]!
  }

  get dropped(): readonly string[] {
    return this.#tasks.flatMap(({ dropped }) => dropped)
  }

  /** Pushes one record through every task that reads the topic, then what it caused. */
  pipe<K, V>(
    topic: Topic<K, V>,
    key: NoInfer<K> | undefined,
    value: NoInfer<V> | undefined,
    timestampMs = 0,
  ): RecordError | undefined {
    return this.#push({
      topic,
      isInternal: false,
      timestampMs,
      headers: noHeaders,
      key: key === undefined ? undefined : topic.key.encode(key),
      value: value === undefined ? undefined : topic.value.encode(value),
    })
  }

  complete(node: string, completion: EffectCompletion): RecordError | undefined {
    const task = this.#tasks.find(({ scope }) => scope.effects.has(node))!
    return task.complete(node, completion) ?? this.#settle(task)
  }

  advanceWallClockTo(nowMs: number): RecordError | undefined {
    for (const task of this.#tasks) {
      task.wallClockMs = nowMs
      const error = task.punctuate('wallClock', nowMs) ?? this.#settle(task)
      if (error !== undefined) return error
    }
    return undefined
  }

  /** Removes and returns what was written to a topic so far. */
  read<K, V>(topic: Topic<K, V>): StreamRecord<K, V>[] {
    const found = this.#outputs.filter((output) => output.topic === topic)
    for (const output of found) this.#outputs.splice(this.#outputs.indexOf(output), 1)
    return found.map((output) => decode(output) as StreamRecord<K, V>)
  }

  values<K, V>(topic: Topic<K, V>): V[] {
    return this.read<K, V>(topic).map(({ value }) => value)
  }

  /** The face operators see. */
  store<Opened>(handle: Store<Opened>): Opened {
    return this.#owner(handle).open(handle)
  }

  /** The face queries see: committed rows only. */
  reader<Reader>(handle: Store<unknown, Reader>): Reader {
    return handle.reader(this.#owner(handle).slots.get(handle.name)!)
  }

  async commit(): Promise<void> {
    for (const task of this.#tasks) await task.commit()
  }

  /** Commits and opens new tasks over the same engine. */
  async restart(): Promise<void> {
    await this.commit()
    this.#tasks = this.#start()
  }

  #start(): readonly TestTask[] {
    return this.#topology.plan.subTopologies.map(
      (sub) => new TestTask(this.#topology, sub, this.engine),
    )
  }

  #owner({ name }: Store): TestTask {
    const task = this.#tasks.find(({ sub }) => sub.stores.includes(name))
    if (task === undefined) throw new Error(`no task owns the store ${name}`)
    return task
  }

  #push(input: Output): RecordError | undefined {
    for (const task of this.#tasks) {
      if (this.#options.rebuildBeforeEachRecord === true) task.rebuild()
      const error =
        task.push(input.topic.name, decode(input))
        ?? task.punctuate('streamTime', task.streamTimeMs())
        ?? this.#settle(task)
      if (error !== undefined) return error
    }
    return undefined
  }

  #settle(task: TestTask): RecordError | undefined {
    task.throwFault()
    const { outputs } = task
    task.outputs = []
    for (const output of outputs) {
      if (!output.isInternal) this.#outputs.push(output)
      else this.#push(output)
    }
    return undefined
  }
}

const decode = ({ topic, key, value, timestampMs, headers }: Output): StagedRecord =>
  new StreamRecord<unknown, unknown>(
    key === undefined ? undefined : topic.key.decode(key),
    value === undefined ? undefined : topic.value.decode(value),
    timestampMs,
    headers,
  )
