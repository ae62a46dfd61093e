/**
 * What the runtime needs of a broker, in Kafka's words. Two adapters: `embedded/` and `kafka/`.
 *
 * Both pass `test/contract/broker-contract.ts`. 1. Everything is asynchronous and may fail with a
 * BrokerError, whose `action` says what the caller does. 2. Offsets are positions in a
 * partition's log; control markers take offsets too, so `nextOffset` may jump. 3. Bytes of fetched
 * records may be views of a shared buffer: whoever keeps them longer than the batch copies them.
 * 4. An unknown outcome (time-out, lost connection) is reported as `BROKER_UNKNOWN_OUTCOME`, never
 * as success or failure.
 */

import { type Headers } from '../record.ts'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export type CleanupPolicy = 'delete' | 'compact' | 'compact,delete'

export interface TopicConfig {
  readonly cleanupPolicy: CleanupPolicy
  /** Age in ms after which `delete` may remove records; -1 for ever. Default 7 days. */
  readonly retentionMs?: number
  /** Largest record in bytes; default 1,048,588 as Kafka's `max.message.bytes`. */
  readonly maxMessageBytes?: number
  /** How long a tombstone outlives compaction, in ms; default 24 h. */
  readonly deleteRetentionMs?: number
}

export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  readonly config: TopicConfig
}

export interface TopicDescription extends TopicSpec {
  /** Changes when a topic is deleted and created again under the same name. */
  readonly topicId: string
}

export interface PartitionOffsets {
  /** First offset still present. */
  readonly logStartOffset: bigint
  /** Every transaction below it has ended; read_committed readers stop here. */
  readonly lastStableOffset: bigint
  /** One past the last record or marker. */
  readonly highWatermark: bigint
  /** Rises with every leader election (embedded: with every start). */
  readonly leaderEpoch: number
}

export interface Topics {
  /** Existing topics are left as they are. @throws BROKER_INVALID_REQUEST other partition count */
  create(specs: readonly TopicSpec[]): Promise<void>
  /** Names without a topic are absent from the answer. */
  describe(names: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>>
  list(): Promise<readonly TopicDescription[]>
  delete(names: readonly string[]): Promise<void>
  /** Deletes records below `offset` (repartition topics after their commit). */
  purge(partition: TopicPartition, offset: bigint): Promise<void>
  offsets(partition: TopicPartition): Promise<PartitionOffsets>
  /**
   * Where the log ended when a leader epoch above this one began, or its end if there is none;
   * less what was open then and aborted since. A position of this epoch behind it was made by
   * records that are gone or not committed any more. Absent: cannot be told.
   */
  epochEndOffset?(partition: TopicPartition, leaderEpoch: number): Promise<bigint>
}

/** A record as it lies in the log. One constructor, so that the hot loop is monomorphic. */
export class RawRecord {
  /** Offset minus the batch's `baseOffset`. */
  readonly offsetDelta: number
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Headers

  // oxlint-disable-next-line max-params -- made per record: an options object would cost as much
  constructor(
    offsetDelta: number,
    timestampMs: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: Headers,
  ) {
    this.offsetDelta = offsetDelta
    this.timestampMs = timestampMs
    this.key = key
    this.value = value
    this.headers = headers
  }
}

/** What one fetch brought of one partition: committed records only, in offset order. */
export interface RawBatch extends TopicPartition, PartitionOffsets {
  readonly baseOffset: bigint
  readonly records: readonly RawRecord[]
  /** Keys, values and headers, in bytes: what back-pressure counts. */
  readonly sizeBytes: number
  /** Where to fetch next: past aborted records and markers too, even if `records` is empty. */
  readonly nextOffset: bigint
  /**
   * Wall-clock time in ms before which nothing was missed: the high watermark counts everything
   * written until then. Absent: until the fetch was called.
   */
  readonly askedAtMs?: number
}

export interface FetchRequest extends TopicPartition {
  readonly offset: bigint
  /** Bytes wanted of this partition; at least one record comes if there is one. */
  readonly maxBytes: number
}

export interface FetchOptions {
  readonly isolation: 'read_committed' | 'read_uncommitted'
  /** How long to wait for a first record, in ms; 0 answers at once. */
  readonly maxWaitMs: number
}

export interface Fetcher {
  /**
   * One answer per request, in the order of the requests, as soon as any has records or its
   * `nextOffset`, last stable offset or high watermark moved since it was last asked, or after
   * `maxWaitMs`. A second fetch of the same Fetcher before the first answered is an error.
   *
   * @throws {BrokerError} BROKER_OFFSET_OUT_OF_RANGE, BROKER_UNKNOWN_TOPIC: `stop`
   */
  fetch(requests: readonly FetchRequest[], options: FetchOptions): Promise<readonly RawBatch[]>
  /** Ends a waiting fetch at once; it answers with what there is. */
  wakeUp(): void
  close(): Promise<void>
}

export interface ProduceRecord {
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Headers
}

export interface ProduceBatch extends TopicPartition {
  readonly records: readonly ProduceRecord[]
}

export interface ProducedBatch extends TopicPartition {
  readonly baseOffset: bigint
  /** Offset of the last record + 1; a marker may follow it. */
  readonly nextOffset: bigint
  readonly leaderEpoch: number
}

export interface OffsetAndMetadata {
  readonly offset: bigint
  /** Ours: stream time and punctuator schedules, see `runtime/offset-metadata.ts`. */
  readonly metadata: string
}

export interface CommittedOffset extends TopicPartition, OffsetAndMetadata {}

/** Sent with every TxnOffsetCommit, so that a removed member is fenced. */
export interface GroupMetadata {
  readonly groupId: string
  readonly memberId: string
  readonly generationId: number
}

/** Idempotent producer without transactions: commands from HTTP and loaders. */
export interface Producer {
  /** All records acknowledged, in order per partition, or a BrokerError. */
  send(batches: readonly ProduceBatch[]): Promise<readonly ProducedBatch[]>
  close(): Promise<void>
}

/**
 * One transactional id. Calls are made one after the other, except `produce` and `sendOffsets`,
 * which may be in flight together.
 *
 * ```
 *   init ──► ready ──begin──► open ──commit/abort──► ready        fenced, unknown: discard it
 * ```
 * Nothing may be sent between the call of commit or abort and its answer.
 */
export interface TransactionalProducer {
  readonly transactionalId: string
  /** InitProducerId: aborts what an older owner of the id left open, and fences it. */
  init(): Promise<void>
  begin(): void
  /** @throws {BrokerError} BROKER_RECORD_TOO_LARGE, BROKER_INVALID_RECORD carry `recordIndex` */
  produce(batches: readonly ProduceBatch[]): Promise<readonly ProducedBatch[]>
  sendOffsets(offsets: readonly CommittedOffset[], group: GroupMetadata): Promise<void>
  commit(): Promise<void>
  abort(): Promise<void>
  /** Drops the handle; an open transaction stays open until fenced or timed out. */
  close(): Promise<void>
}

export interface JoinRequest {
  readonly groupId: string
  /** Empty at the first join. */
  readonly memberId: string
  readonly instanceId?: string
  readonly sessionTimeoutMs: number
  /**
   * What the group reads. Kafka keeps committed offsets of these while the group has members;
   * offsets of others end `offsets.retention.minutes` after their last commit.
   */
  readonly topics?: readonly string[]
  /** Opaque to the broker: our subscription, task ownership, host. */
  readonly metadata: Uint8Array
  /** Called on the elected leader only: member id → opaque assignment, for every member. */
  assign(members: readonly GroupMemberMetadata[]): ReadonlyMap<string, Uint8Array>
}

export interface GroupMemberMetadata {
  readonly memberId: string
  readonly metadata: Uint8Array
}

export interface JoinedGeneration extends GroupMetadata {
  readonly assignment: Uint8Array
}

export interface Groups {
  /** Waits for the rebalance to complete. */
  join(request: JoinRequest): Promise<JoinedGeneration>
  /** @throws {BrokerError} BROKER_UNKNOWN_MEMBER, BROKER_FENCED: `rejoin` */
  heartbeat(member: GroupMetadata): Promise<'stable' | 'rebalancing'>
  leave(member: GroupMetadata): Promise<void>
  /** Always with requireStable: waits out offsets of transactions that are still ending. */
  committedOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly CommittedOffset[]>
}

export interface Broker {
  /** Which adapter, for messages: `embedded` or `kafka`. */
  readonly kind: 'embedded' | 'kafka'
  clusterId(): Promise<string>
  readonly topics: Topics
  readonly groups: Groups
  /** One per consumer loop; each has its own long poll. */
  fetcher(clientId: string): Fetcher
  producer(clientId: string): Producer
  transactionalProducer(options: TransactionalOptions): TransactionalProducer
  close(): Promise<void>
}

export interface TransactionalOptions {
  readonly transactionalId: string
  /** After this many ms without an end the broker aborts it; default 10,000. */
  readonly transactionTimeoutMs?: number
}
