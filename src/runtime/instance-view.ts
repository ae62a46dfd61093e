/**
 * What queries may know of a running instance: its open tasks, and who in the group has which.
 *
 * Made by the application once it knows its topics; asked by `src/queries` only. 1. `open` gives
 * committed state, and nothing while a task is restored or migrated, or this instance is no member:
 * what it held is somebody else's to change then. 2. Owners are those of the last generation as its
 * leader knew them; a task on its way from one member to another has none.
 */

import { RuntimeError } from '../errors/classes.ts'
import type { Store } from '../stores/store.ts'
import type { AppliedAt } from '../task/applied-inputs.ts'
import type { SubTopology } from '../topology/graph.ts'
import type { Peer } from './group-protocol.ts'
import type { Membership } from './membership.ts'
import { storeByName } from './queries.ts'
import type { TaskManager } from './task-manager.ts'
import type { TopicPlan } from './topic-plan.ts'

export interface InstanceViewOptions {
  readonly instanceId: string
  /** Tells this process from others of the same instance; known to the group only. */
  readonly incarnation: string
  readonly subTopologies: readonly SubTopology[]
  readonly stores: ReadonlyMap<string, Store>
  readonly topics: TopicPlan
  readonly tasks: TaskManager
  readonly membership: Membership
}

/** Committed state of one partition of a store, as it is right now. */
export interface OpenPartition extends AppliedAt {
  readonly reader: unknown
}

/** Where the partitions of a store are. */
export interface StorePlace {
  readonly partitions: number
  taskOf(partition: number): string
}

export class InstanceView {
  readonly #options: InstanceViewOptions

  constructor(options: InstanceViewOptions) {
    this.#options = options
  }

  get instanceId(): string {
    return this.#options.instanceId
  }

  get incarnation(): string {
    return this.#options.incarnation
  }

  /** Of the last generation; −1 while this instance is no member. */
  get generationId(): number {
    return this.#options.membership.generationId
  }

  /** @throws {RuntimeError} STREAMS_CONFIG: names the stores there are */
  store(name: string): Store {
    return storeByName(this.#options.stores, name)
  }

  place({ name }: Pick<Store, 'name'>): StorePlace {
    const { subTopologies, topics } = this.#options
    const sub = subTopologies.find(({ stores }) => stores.includes(name))
    if (sub === undefined) throw new RuntimeError('STREAMS_CONFIG', `no task has store ${name}`)
    return {
      partitions: topics.partitionsOf(sub),
      taskOf: (partition) => `${sub.id}_${partition}`,
    }
  }

  /** Undefined: not here, or not open. */
  open(store: Store, partition: number): OpenPartition | undefined {
    const { tasks, membership } = this.#options
    if (!membership.isMember) return undefined
    for (const { task } of tasks.running) {
      const found = task.partition === partition ? task.store(store.name) : undefined
      if (found === undefined || task.isMigrating) continue
      const applied = task.appliedInputs.at(task.hasUncommitted)
      return { reader: store.reader(found.slots), ...applied }
    }
    return undefined
  }

  /** The member that has a task; undefined while it moves. */
  ownerOf(taskId: string): Peer | undefined {
    return this.#options.membership.peers.find(({ tasks }) => tasks.includes(taskId))
  }

  /** Asks the broker where members are to be reached that came back meanwhile. */
  async refresh(): Promise<void> {
    await this.#options.membership.refreshPeers()
  }
}
