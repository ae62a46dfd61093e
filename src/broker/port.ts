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

import type { Headers } from '../record.ts'

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
  /** Replicas that must have a record before it is acknowledged; default the brokers', mostly 1. */
  readonly minInsyncReplicas?: number
  /** How the brokers keep batches; default `producer`: as they come. */
  readonly compression?: TopicCompression
}

export type TopicCompression = 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** What a topic is set to: its own settings, and the brokers' defaults for the rest. */
export type TopicSettings = Required<TopicConfig>

export interface TopicSettingsChange {
  readonly name: string
  /** What is absent stays as it is. */
  readonly config: Partial<TopicConfig>
}

export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  readonly config: TopicConfig
  /** Copies of each partition; default the brokers'. Embedded: always one. */
  readonly replicas?: number
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
  /**
   * What topics are set to. Names without a topic are absent from the answer.
   *
   * @throws {BrokerError} BROKER_NOT_AUTHORIZED: the message names the missing ACL
   */
  settings(names: readonly string[]): Promise<ReadonlyMap<string, TopicSettings>>
  /**
   * Changes settings, of each topic all or none; the same again does nothing.
   *
   * @throws {BrokerError} BROKER_UNKNOWN_TOPIC; BROKER_INVALID_REQUEST: a value is not possible;
   * BROKER_NOT_AUTHORIZED: the message names the missing ACL
   */
  changeSettings(changes: readonly TopicSettingsChange[]): Promise<void>
  /**
   * Gives a topic more partitions, so that it has `partitions`; the same again does nothing. Keys
   * then go to other partitions than before: never for a topic that state depends on.
   *
   * @throws {BrokerError} BROKER_INVALID_REQUEST: it has more already; else as `changeSettings`
   */
  raisePartitions(name: string, partitions: number): Promise<void>
  /** How many replicas a new topic may have: brokers that are up. */
  replicasMax(): Promise<number>
  delete(names: readonly string[]): Promise<void>
  /** Deletes records below `offset` (repartition topics after their commit). */
  purge(partition: TopicPartition, offset: bigint): Promise<void>
  offsets(partition: TopicPartition): Promise<PartitionOffsets>
  /**
   * Where the records of this leader epoch end, or of the last one before it: who knows records of
   * it behind that offset has some that the partition has lost, or that were open then and are
   * aborted by now. Undefined if it cannot be told.
   */
  epochEnd(partition: TopicPartition, leaderEpoch: number): Promise<bigint | undefined>
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

/** Records of a batch one after the other, decoded as they are taken. */
export interface RecordCursor {
  /** The next ones, at least one and at most about `count`; empty at the end. */
  next(count: number): readonly RawRecord[]
}

/** What one fetch brought of one partition: committed records only, in offset order. */
export interface RawBatch extends TopicPartition, PartitionOffsets {
  /** At or below the first record; `offsetDelta` counts from here. */
  readonly baseOffset: bigint
  readonly records: readonly RawRecord[]
  /** How many records there are, where that is known without decoding them. */
  readonly recordCount?: number
  /** With `recordCount`: the records again, without keeping all of them. */
  cursor?(): RecordCursor
  /**
   * Nobody will look at its records any more, nor at views of their bytes: the memory is used
   * again. Without it, the garbage collector finds out.
   */
  release?(): void
  /** Keys, values and headers, in bytes, or what they take undecoded: what back-pressure counts. */
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
  /** Of a static member: whoever joins under it again takes this one's place. */
  readonly instanceId?: string
}

/** Idempotent producer without transactions: commands from HTTP and loaders. */
export interface Producer {
  /** All records acknowledged, in order per partition, or a BrokerError. */
  send(batches: readonly ProduceBatch[]): Promise<readonly ProducedBatch[]>
  close(): Promise<void>
}

/** Where an application's transactions leave something. */
export interface WrittenPlaces {
  readonly partitions: readonly TopicPartition[]
  readonly groupId: string
  /** Whose offsets are committed. */
  readonly inputs: readonly TopicPartition[]
}

export interface ForgottenPlaces {
  readonly released: readonly TopicPartition[]
  /** Held up still: how their transaction ended is not known, or it was committed. */
  readonly held: readonly TopicPartition[]
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
  /**
   * True if what was produced is not looked at any more once its transaction is committed, so that
   * its memory may be used again. An embedded log goes on with the bytes it was given.
   */
  readonly forgetsProduced: boolean
  /** InitProducerId: aborts what an older owner of the id left open, and fences it. */
  init(): Promise<void>
  /**
   * Ends what the broker forgot to end of transactions that were aborted: readers would be held up
   * for ever. Right after `init`; absent where a broker forgets nothing.
   */
  releaseForgotten?(places: WrittenPlaces): Promise<ForgottenPlaces>
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
  /**
   * Makes it a static member: within its session time-out another process that joins under the
   * same id, with an empty member id, gets its assignment without a new generation.
   */
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

/** A member of the group, for those who watch whether it lives. */
export interface GroupPeer {
  readonly memberId: string
  readonly instanceId: string
  /** Its instance id is known to the broker: its place outlives it. */
  readonly isStatic?: boolean
  /** Random per process. */
  readonly incarnation: string
  /** `host:port` of its link; empty if it has none. */
  readonly link: string
}

export interface GroupSessionOptions {
  readonly incarnation: string
  /** Address of this machine under which the other instances reach it, for links. */
  readonly linkHost: string
  readonly heartbeatIntervalMs: number
  /** After so many ms without a turn of the caller's event loop the member leaves the group. */
  readonly maxStallMs: number
  /** The group makes a new generation: join again, soon. */
  onRebalance(): void
  /** The member is out of the group, or replaced: everything it had is others'. */
  onLost(error: Error): void
}

/** One membership that is kept alive between joins without the caller's doing. */
export interface GroupSession {
  /** As `Groups.join`. */
  join(request: JoinRequest): Promise<JoinedGeneration>
  /** As `Groups.leave`; nothing is told of this member any more. */
  leave(member: GroupMetadata): Promise<void>
  /**
   * `host:port` under which this session can be watched; empty where that is of no use.
   *
   * @throws {BrokerError} BROKER_INVALID_REQUEST: `linkHost` is none of this machine
   */
  link(): Promise<string>
  /** Removes peers that have died without waiting for the end of their session. */
  watch(member: GroupMetadata, peers: readonly GroupPeer[]): void
  /** The next generation is close at hand: asks often until the next join, for a while. */
  hurry(): void
  /**
   * Ends without leaving: the place stays for who comes back under the instance id, until the
   * session time-out. Peers that watch are told that it is no death.
   */
  keepPlace(): Promise<void>
  /** Ends at once, without a word to the group; what is in flight is never answered. */
  close(): void
}

export interface Groups {
  /**
   * A membership in a thread of its own, which a busy main thread does not cost its session.
   * Absent where that is of no use (the broker runs in the same thread) or cannot be had.
   */
  readonly session?: ((options: GroupSessionOptions) => GroupSession) | undefined
  /**
   * Waits for the rebalance to complete.
   *
   * @throws {BrokerError} BROKER_UNKNOWN_MEMBER: `rejoin`; BROKER_INSTANCE_FENCED: `stop`
   */
  join(request: JoinRequest): Promise<JoinedGeneration>
  /**
   * @throws {BrokerError} BROKER_UNKNOWN_MEMBER, BROKER_FENCED: `rejoin`;
   * BROKER_INSTANCE_FENCED: `stop`
   */
  heartbeat(member: GroupMetadata): Promise<'stable' | 'rebalancing'>
  /** Any client may ask it for any member; of a static one, only with its current member id. */
  leave(member: GroupMetadata): Promise<void>
  /**
   * Who is in the group now, dead or alive; empty in the middle of a rebalance. Absent where no
   * member outlives its process.
   */
  members?(groupId: string): Promise<readonly GroupMemberMetadata[]>
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
