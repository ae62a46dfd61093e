/**
 * The brokers of a cluster of three, to be killed, stopped and started again by a test.
 *
 * 1. Who leads and who coordinates is asked of the cluster itself. 2. `whole` waits until every
 * replica is in sync again, so that one test's fault is not the next one's.
 */

import { readFileSync } from 'node:fs'
import { alterPartitionReassignmentsV0, metadataV12 } from '@platformatic/kafka'
import { systemClock } from '../../../src/clock.ts'
import { bootstrapAddresses } from '../../../src/broker/kafka/bootstrap-addresses.ts'
import { Cluster, type CoordinatorKind } from '../../../src/broker/kafka/cluster.ts'
import { type RealKafka, restartKafka } from '../real-kafka.ts'
import { until } from './until.ts'

type Partition = metadataV12.MetadataResponsePartition

export class Brokers {
  readonly cluster: Cluster
  #kafka: RealKafka

  private constructor(kafka: RealKafka, cluster: Cluster) {
    this.#kafka = kafka
    this.cluster = cluster
  }

  static async open(shared: RealKafka): Promise<Brokers> {
    // another file may have killed and restarted some: their process ids are others now
    const kafka = await restartKafka(shared)
    const cluster = await Cluster.open({
      bootstrap: bootstrapAddresses(kafka.bootstrap),
      clientId: 'brokers',
      clock: systemClock,
      connectTimeoutMs: 2_000,
      requestTimeoutMs: 5_000,
      retryTimeoutMs: 60_000,
    })
    return new Brokers(kafka, cluster)
  }

  /** Node id; waits out an election. */
  async leaderOf(topic: string, partition: number): Promise<number> {
    this.cluster.forgetTopic(topic)
    const { node } = await this.cluster.leader({ topic, partition })
    return this.#idAt(node.port)
  }

  async coordinatorOf(kind: CoordinatorKind, key: string): Promise<number> {
    this.cluster.forgetCoordinator(kind, key)
    return this.#idAt((await this.cluster.coordinator(kind, key)).port)
  }

  /** SIGKILL is a crash, SIGTERM hands leadership over first, SIGSTOP freezes until `thaw`. */
  async end(id: number, signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP'): Promise<void> {
    const pid = this.#pidOf(id)
    process.kill(pid, signal)
    if (signal !== 'SIGSTOP') await until(`broker ${id} ends`, () => isGone(pid))
  }

  async thaw(id: number): Promise<void> {
    const pid = this.#pidOf(id)
    if (!isGone(pid)) process.kill(pid, 'SIGCONT')
  }

  async restart(onlyId?: number): Promise<void> {
    this.#kafka = await restartKafka(this.#kafka, onlyId)
  }

  /** Every replica of every topic is in sync. */
  async whole(): Promise<void> {
    await until('all replicas are in sync', async () => {
      const partitions = (await this.#topics(null)).flatMap((topic) => topic.partitions)
      return partitions.every(
        ({ isrNodes, replicaNodes, leaderId }) =>
          leaderId >= 0 && isrNodes.length === replicaNodes.length,
      )
    })
  }

  /** Takes the leader of each partition out of its replicas: another one leads at once. */
  async moveLeaders(topics: readonly string[]): Promise<void> {
    const found = await this.#topics(topics)
    const all = this.#kafka.nodes!.map(({ id }) => id)
    for (const wanted of [
      ({ replicaNodes, leaderId }: Partition) => replicaNodes.filter((id) => id !== leaderId),
      // and back among them, as the last
      ({ leaderId }: Partition) => [...all.filter((id) => id !== leaderId), leaderId],
    ]) {
      await this.cluster.ask(
        alterPartitionReassignmentsV0.api,
        10_000,
        true,
        found.map(({ name, partitions }) => ({
          name: name!,
          partitions: partitions.map((partition) => ({
            partitionIndex: partition.partitionIndex,
            replicas: wanted(partition),
          })),
        })),
      )
      await this.whole()
    }
  }

  close(): Promise<void> {
    return this.cluster.close()
  }

  async #topics(names: readonly string[] | null) {
    const wanted = names === null ? null : [...names]
    return (await this.cluster.ask(metadataV12.api, wanted, false, false)).topics
  }

  #pidOf(id: number): number {
    return this.#kafka.nodes!.find((node) => node.id === id)!.pid
  }

  #idAt(port: number): number {
    return this.#kafka.nodes!.find((node) => node.port === port)!.id
  }
}

/** Ended, whether or not its parent has looked. */
const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return process.platform === 'linux' && readFileSync(`/proc/${pid}/cmdline`).length === 0
  } catch {
    return true
  }
}
